"""Whatever is asked, cancelled and finished in whatever order: nobody is lost, no FINAL is shed."""

from dataclasses import dataclass, field

from hypothesis import given, settings, strategies as st

from actors.speech_to_text.jobs import Batch, Job, Ticket
from actors.speech_to_text.scheduler import Scheduler
from providers.roles import SttKind
from tests.speech_to_text.jobs import BUCKETS, FINAL, job, scheduler


@dataclass
class _World:
    """A scheduler driven at random, and what became of everybody."""

    made: Scheduler
    now: float = 0.0
    offered: dict[Ticket, Job] = field(default_factory=dict)
    shed: list[Ticket] = field(default_factory=list)
    done: list[Ticket] = field(default_factory=list)
    withdrawn: set[Ticket] = field(default_factory=set)
    running: list[Batch] = field(default_factory=list)

    def offer(self, kind: SttKind, call: int, utterance: int, revision: int, frames: int) -> None:
        asked = job(kind, call=str(call), utterance=utterance, revision=revision, frames=frames, arrived=self.now,
                    deadline=self.now + 6.0)  # fmt: skip
        self.offered[asked.ticket] = asked
        self.shed += self.made.offer(asked, self.now)

    def start(self) -> None:
        while True:
            waiting = [each for each in self.made._waiting.values() if each.kind is FINAL and not each.is_thorough]
            step = self.made.next(self.now)
            self.shed += step.shed
            if step.batch is None:
                return
            self.running.append(step.batch)
            head = step.batch.jobs[0]
            if waiting:
                assert head.kind is FINAL
                assert head.due <= min(each.due for each in waiting)

    def finish(self, which: int) -> None:
        batch = self.running.pop(which % len(self.running))
        self.made.finish(batch, 20.0 * len(batch.jobs), 60.0, self.now)
        for each in batch.jobs:
            if which % 3 or not self.made.retry(each, self.now):
                self.done += each.tickets()

    def withdraw(self, which: int) -> None:
        ticket = sorted(self.offered)[which % len(self.offered)]
        self.withdrawn.add(ticket)
        self.made.withdraw(ticket)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.sampled_from(list(SttKind)), st.integers(0, 3), st.integers(1, 2),
                  st.integers(1, 3), st.sampled_from(BUCKETS)),
        st.tuples(st.sampled_from(["finish", "withdraw", "wait"]), st.integers(0, 20)),
    ),
    max_size=60,
)  # fmt: skip


@settings(deadline=None)
@given(STEPS, st.integers(1, 3))
def test_nobody_is_lost_no_final_is_shed_and_the_earliest_deadline_leads(
    steps: list[tuple[object, ...]], slots: int
) -> None:
    world = _World(scheduler(slots=slots))
    for name, *arguments in steps:
        match name, arguments:
            case "offer", [SttKind() as kind, int(call), int(utterance), int(revision), int(frames)]:
                world.offer(kind, call, utterance, revision, frames)
            case "finish", [int(which)] if world.running:
                world.finish(which)
            case "withdraw", [int(which)] if world.offered:
                world.withdraw(which)
            case "wait", [int(tenths)]:
                world.now += tenths / 10
        world.start()
        assert world.made.free == slots - len(world.running)
    while world.running or world.made.waiting:
        world.now += 0.01
        world.start()
        if world.running:
            world.finish(1)
    ended = world.shed + world.done
    assert len(ended) == len(set(ended))
    assert set(world.offered) - world.withdrawn <= set(ended)
    assert not [ticket for ticket in world.shed if world.offered[ticket].asked_as is FINAL]
    assert (world.made.free, world.made.waiting, len(world.made._flying)) == (slots, 0, 0)
