"""Who is decoded next, and who is shed."""

import itertools

import pytest

from actors.speech_to_text.jobs import Batch, Job, Ticket
from actors.speech_to_text.scheduler import GATHER_S, SPEC_PATIENCE_S, QueueFull, Scheduler, Step
from providers.roles import SttKind
from tests.speech_to_text.jobs import FINAL, PARTIAL, SPEC, job, scheduler, table

_numbers = itertools.count(1)


def busy(*, waiting: int = 100) -> Scheduler:
    """A scheduler whose slot is taken by another call."""
    made = scheduler(waiting=waiting)
    for _ in range(made.limits.slots):
        made.offer(job(FINAL, call=f"busy{next(_numbers)}"), 0.0)
        assert made.next(0.0).batch
    return made


def after_one(made: Scheduler, now: float = 1.0) -> Step:
    """What starts once one of the running batches ends."""
    (flying, *_) = made._flying.values()
    made.finish(Batch((flying,), flying.frames, 0.0, 0.0), 20.0, 60.0, now)
    return made.next(now)


def tickets(step: Step) -> list[Ticket]:
    return [each.ticket for each in step.batch.jobs] if step.batch else []


class TestOrder:
    def test_a_free_slot_is_given_at_once(self) -> None:
        made, asked = scheduler(), job(FINAL)
        made.offer(asked, 0.0)
        assert tickets(made.next(0.0)) == [asked.ticket]
        assert (made.free, made.waiting) == (0, 0)

    def test_finals_go_before_specs_before_partials(self) -> None:
        made = busy()
        jobs = [job(kind, prompt=prompt) for prompt, kind in enumerate((PARTIAL, SPEC, FINAL))]
        for each in jobs:
            made.offer(each, 0.0)
        served = [tickets(after_one(made, 0.1 * turn))[0] for turn in (1, 2, 3)]
        assert served == [each.ticket for each in reversed(jobs)]

    def test_of_finals_the_earliest_deadline_goes_first(self) -> None:
        made = busy()
        late, early = job(FINAL, deadline=9.0, frames=400), job(FINAL, deadline=5.0, frames=2000)
        made.offer(late, 0.0)
        made.offer(early, 0.0)
        assert tickets(after_one(made)) == [early.ticket]
        assert tickets(after_one(made)) == [late.ticket]

    def test_partials_of_the_call_that_heard_nothing_the_longest_go_first(self) -> None:
        made = busy()
        served = job(PARTIAL, call="served")
        made.offer(served, 0.0)
        assert tickets(after_one(made)) == [served.ticket]
        again, new = job(PARTIAL, call="served", revision=2, frames=400), job(PARTIAL, call="new", frames=2000)
        made.offer(again, 1.0)
        made.offer(new, 1.0)
        assert tickets(after_one(made, 2.0)) == [new.ticket]

    def test_two_free_slots_share_two_jobs(self) -> None:
        made = scheduler(slots=2)
        for _ in range(2):
            made.offer(job(FINAL), 0.0)
        assert [len(tickets(made.next(0.0))) for _ in range(2)] == [1, 1]

    def test_a_partial_leaves_the_last_of_several_slots_to_the_urgent(self) -> None:
        made = scheduler(slots=2)
        made.offer(job(FINAL), 0.0)
        made.next(0.0)
        made.offer(job(PARTIAL), 0.0)
        assert made.next(1.0) == Step(None, ())
        urgent = job(SPEC, prompt=4, arrived=1.0)
        made.offer(urgent, 1.0)
        assert tickets(made.next(1.0)) == [urgent.ticket]

    def test_partials_wait_a_moment_for_each_other_unless_enough_are_there(self) -> None:
        made = scheduler()
        made.offer(job(PARTIAL, arrived=1.0), 1.0)
        assert made.next(1.0) == Step(None, (), look_at=1.0 + GATHER_S)
        for _ in range(3):
            made.offer(job(PARTIAL, arrived=1.001), 1.001)
        assert len(tickets(made.next(1.001))) >= 2

    def test_of_a_call_one_partial_is_decoded_at_a_time(self) -> None:
        made = scheduler(slots=3)
        made.offer(job(PARTIAL, call="a"), 0.0)
        assert made.next(1.0).batch
        made.offer(job(PARTIAL, call="a", revision=2), 1.0)
        assert made.next(2.0).batch is None


class TestShedding:
    def test_the_newest_partial_of_a_call_replaces_one_that_waits(self) -> None:
        made = busy()
        old, new = job(PARTIAL, call="a", revision=1), job(PARTIAL, call="a", revision=2)
        assert made.offer(old, 0.0) == ()
        assert made.offer(new, 0.1) == (old.ticket,)
        assert tickets(after_one(made)) == [new.ticket]

    def test_an_old_revision_that_comes_late_is_shed_itself(self) -> None:
        made = busy()
        new, old = job(PARTIAL, call="a", revision=2), job(PARTIAL, call="a", revision=1)
        made.offer(new, 0.0)
        assert made.offer(old, 0.1) == (old.ticket,)

    @pytest.mark.parametrize("kind", [SPEC, FINAL])
    def test_a_partial_is_dropped_when_its_utterance_pauses_or_ends(self, kind: SttKind) -> None:
        made = busy()
        partial, later = job(PARTIAL, call="a"), job(kind, call="a", revision=2)
        made.offer(partial, 0.0)
        assert made.offer(later, 0.1) == (partial.ticket,)
        late = job(PARTIAL, call="a", revision=1)
        assert made.offer(late, 0.2) == (late.ticket,)

    def test_a_spec_is_dropped_when_speech_goes_on(self) -> None:
        made = busy()
        spec = job(SPEC, call="a", revision=1)
        made.offer(spec, 0.0)
        assert made.offer(job(PARTIAL, call="a", revision=2), 0.1) == (spec.ticket,)

    def test_the_spec_of_an_utterance_survives_the_next_utterance(self) -> None:
        made = busy()
        made.offer(job(SPEC, call="a", utterance=1), 0.0)
        assert made.offer(job(PARTIAL, call="a", utterance=2), 0.1) == ()

    def test_partials_are_off_in_a_long_queue_and_specs_in_a_longer_one(self) -> None:
        made = busy(waiting=1000)
        shed: dict[SttKind, float] = {}
        while len(shed) < 2 and made.waiting < 900:
            for kind in {SPEC, PARTIAL} - set(shed):
                if made.offer(probe := job(kind), 0.0) == (probe.ticket,):
                    shed[kind] = made.backlog_ms()
                made.withdraw(probe.ticket)
            made.offer(job(FINAL), 0.0)
        assert 400 < shed[PARTIAL] < 500
        assert 800 < shed[SPEC] < 900

    def test_partials_that_wait_are_shed_when_the_queue_grows(self) -> None:
        made = busy()
        partial = job(PARTIAL)
        made.offer(partial, 0.0)
        for _ in range(40):
            made.offer(job(FINAL), 0.0)
        assert made.next(0.0).shed == (partial.ticket,)

    def test_a_spec_that_waited_too_long_is_shed(self) -> None:
        made = busy()
        spec = job(SPEC)
        made.offer(spec, 0.0)
        assert made.next(SPEC_PATIENCE_S).shed == ()
        assert made.next(SPEC_PATIENCE_S + 0.01).shed == (spec.ticket,)

    def test_a_full_queue_gives_a_final_the_place_of_the_least_urgent(self) -> None:
        made = busy(waiting=2)
        spec, partial = job(SPEC), job(PARTIAL)
        made.offer(spec, 0.0)
        made.offer(partial, 0.0)
        assert made.offer(job(FINAL), 0.0) == (partial.ticket,)
        assert made.offer(job(FINAL), 0.0) == (spec.ticket,)
        late = job(SPEC)
        assert made.offer(late, 0.0) == (late.ticket,)
        with pytest.raises(QueueFull):
            made.offer(job(FINAL), 0.0)


class TestSameWords:
    """A FINAL for the revision a SPEC was asked for: the speech is the same, one decoding serves both."""

    def test_a_final_promotes_the_spec_that_waits(self) -> None:
        made = busy()
        spec, other = job(SPEC, call="a"), job(SPEC, call="b", frames=2000)
        final = job(FINAL, call="a")
        made.offer(other, 0.0)
        made.offer(spec, 0.1)
        assert made.offer(final, 0.2) == ()
        step = after_one(made)
        assert step.batch is not None
        assert list(step.batch.jobs[0].tickets()) == [spec.ticket, final.ticket]

    def test_a_promoted_spec_is_not_shed(self) -> None:
        made = busy()
        made.offer(job(SPEC, call="a"), 0.0)
        made.offer(job(FINAL, call="a"), 0.1)
        assert made.offer(job(PARTIAL, call="a", revision=5), 0.2) == ()
        assert made.next(5.0).shed == ()

    def test_a_final_joins_the_spec_that_is_being_decoded(self) -> None:
        made = scheduler()
        spec, final = job(SPEC, call="a"), job(FINAL, call="a")
        made.offer(spec, 0.0)
        step = made.next(0.0)
        assert made.offer(final, 0.1) == ()
        assert step.batch is not None
        assert list(step.batch.jobs[0].tickets()) == [spec.ticket, final.ticket]
        assert made.waiting == 0

    def test_whoever_rides_along_stays_when_the_first_leaves(self) -> None:
        made = busy()
        spec, final = job(SPEC, call="a"), job(FINAL, call="a")
        made.offer(spec, 0.0)
        made.offer(final, 0.1)
        made.withdraw(spec.ticket)
        assert tickets(after_one(made)) == [final.ticket]

    def test_a_newer_revision_is_other_words(self) -> None:
        made = busy()
        spec = job(SPEC, call="a", revision=1)
        made.offer(spec, 0.0)
        assert made.offer(job(FINAL, call="a", revision=2), 0.1) == (spec.ticket,)


class TestSecondOpinion:
    def decoded(self, made: Scheduler, asked: Job) -> None:
        made.offer(asked, 0.0)
        step = made.next(0.0) if asked.asked_as is not PARTIAL else made.next(GATHER_S)
        assert step.batch is not None
        made.finish(step.batch, 20.0, 60.0, 0.1)

    def test_a_final_is_decoded_again_alone_in_the_longest_window(self) -> None:
        made, doubtful = scheduler(), job(FINAL)
        self.decoded(made, doubtful)
        assert made.retry(doubtful, 0.1)
        made.offer(job(FINAL, deadline=9.0), 0.1)
        step = made.next(0.1)
        assert step.batch is not None
        assert (tickets(step), step.batch.frames, step.batch.is_thorough) == ([doubtful.ticket], 3000, True)

    def test_there_is_no_third_opinion(self) -> None:
        made, doubtful = scheduler(), job(FINAL)
        self.decoded(made, doubtful)
        assert made.retry(doubtful, 0.1)
        step = made.next(0.1)
        assert step.batch is not None
        made.finish(step.batch, 100.0, 120.0, 0.3)
        assert not made.retry(doubtful, 0.3)

    def test_not_past_the_deadline(self) -> None:
        made, doubtful = scheduler(), job(FINAL, deadline=0.3)
        self.decoded(made, doubtful)
        assert not made.retry(doubtful, 0.1)  # takes 220 ms

    def test_a_partial_is_not_worth_it(self) -> None:
        made, doubtful = scheduler(), job(PARTIAL)
        self.decoded(made, doubtful)
        assert not made.retry(doubtful, 0.1)

    def test_a_spec_is_worth_it_while_it_is_cheap(self) -> None:
        made, doubtful = scheduler(), job(SPEC)
        self.decoded(made, doubtful)
        assert made.retry(doubtful, 0.1)
        made, doubtful = scheduler(costs=table(encode_ms=100.0)), job(SPEC)
        self.decoded(made, doubtful)
        assert not made.retry(doubtful, 0.1)

    def test_one_of_several_slots_stays_free_of_them(self) -> None:
        made = scheduler(slots=2)
        doubtful = [job(FINAL), job(FINAL)]
        for each in doubtful:
            self.decoded(made, each)
        assert all(made.retry(each, 0.1) for each in doubtful)
        assert made.next(0.1).batch
        assert made.next(0.1).batch is None
        fresh = job(FINAL)
        made.offer(fresh, 0.2)
        assert tickets(made.next(0.2)) == [fresh.ticket]
