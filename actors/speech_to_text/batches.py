"""Which of the waiting jobs are decoded together. Pure.

The most urgent job goes now. Others come along when their prompts are as long, when the batch stays within the time
cap, and, if they are less urgent, when the first will still be answered on time. All rows of a batch have one window;
a row goes into a longer one than it needs when the launch that saves is worth more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actors.speech_to_text.costs import CostTable
from actors.speech_to_text.jobs import Batch, Job, Limits
from providers.roles import SttKind

WIDER = 2
"""How many windows up a job may be decoded, for the sake of longer ones that wait too."""
LONG, STRETCH = 2.0, 4.0
"""A queue that takes so many time caps to drain is long, and may stretch the cap, or the time of a lone row where that
is longer, so far: larger batches drain the queue sooner, and everybody in it waits as long anyway."""


@dataclass(frozen=True, slots=True)
class Former:
    """Forms batches under fixed limits from costs that are still being learnt."""

    limits: Limits
    costs: CostTable

    def form(self, order: Sequence[Job], now: float, *, free: int) -> Batch:
        """The next batch; `order` is everybody who may go, most urgent first, and must not be empty.

        `free` slots share what waits: with two free, two jobs go one to each.
        """
        head = order[0]
        if head.is_thorough:
            return self._batch([head], head.frames, now)
        room = min(self.limits.max_batch, -(-len(order) // free))
        cap_ms = self._cap_ms(head.frames, self._drain_ms(order))
        mates = [job for job in order[1:] if job.prompt == head.prompt and not job.is_thorough]
        filling = _Filling(self.costs, head, mates, self._own_ms([head, *mates]), cap_ms, now, room)
        at = self.limits.buckets.index(head.frames)
        options = [(frames, filling.rows(frames)) for frames in self.limits.buckets[at : at + 1 + WIDER]]
        frames, rows = max(options, key=lambda option: filling.saved_ms(*option))  # the narrowest of equals
        return self._batch(rows, frames, now)

    def best_batch(self, frames: int, backlog_ms: float = 0.0) -> int:
        """The largest batch of such windows within the time cap, as far as such a queue stretches it."""
        sizes = range(self.limits.max_batch, 1, -1)
        cap_ms = self._cap_ms(frames, backlog_ms)
        return next((size for size in sizes if self.costs.predict(frames, size) <= cap_ms), 1)

    def drain_ms(self, jobs: Sequence[Job]) -> float:
        """How long all slots together would need for those of these jobs that somebody waits for."""
        return self._drain_ms(jobs, self._drain_ms(jobs))

    def _cap_ms(self, frames: int, backlog_ms: float) -> float:
        if backlog_ms <= LONG * self.limits.cap_ms:
            return self.limits.cap_ms
        return min(backlog_ms, STRETCH * max(self.limits.cap_ms, self.costs.predict(frames, 1)))

    def _drain_ms(self, jobs: Sequence[Job], backlog_ms: float = 0.0) -> float:
        """The same in batches as far as such a queue stretches the cap."""
        counts = Counter((job.frames, job.is_thorough) for job in jobs if job.kind is not SttKind.PARTIAL)
        return sum(self._drain_one_ms(*kind, count, backlog_ms) for kind, count in counts.items())

    def _drain_one_ms(self, frames: int, is_thorough: bool, count: int, backlog_ms: float) -> float:
        size = 1 if is_thorough else self.best_batch(frames, backlog_ms)
        full, rest = divmod(count, size)
        total = full * self.costs.predict(frames, size, is_thorough=is_thorough)
        total += self.costs.predict(frames, rest, is_thorough=is_thorough) if rest else 0.0
        return total / self.limits.slots

    def _own_ms(self, jobs: Sequence[Job]) -> dict[int, float]:
        """What one row costs among those of its own window."""
        counts = Counter(job.frames for job in jobs)
        sizes = {frames: min(count, self.best_batch(frames)) for frames, count in counts.items()}
        return {frames: self.costs.predict(frames, size) / size for frames, size in sizes.items()}

    def _batch(self, jobs: Sequence[Job], frames: int, now: float) -> Batch:
        is_thorough = jobs[0].is_thorough
        return Batch(tuple(jobs), frames, now, self.costs.predict(frames, len(jobs), is_thorough=is_thorough))


@dataclass(frozen=True, slots=True)
class _Filling:
    """How many may come along with `head`, and what that saves. `own_ms`: a row's cost in its own window."""

    costs: CostTable
    head: Job
    mates: Sequence[Job]
    own_ms: Mapping[int, float]
    cap_ms: float
    now: float
    room: int

    def rows(self, frames: int) -> list[Job]:
        """The head and the mates that fit a window of `frames` and the time, in order.

        Those of shorter windows come along when that is cheaper than a place in a batch of their own.
        """
        rows = [self.head]
        for job in self.mates:
            if len(rows) == self.room:
                break
            total_ms = self.costs.predict(frames, len(rows) + 1)
            more_ms = total_ms - self.costs.predict(frames, len(rows))
            is_cheap = job.frames == frames or (job.frames < frames and more_ms < self.own_ms[job.frames])
            if is_cheap and total_ms <= self._budget_ms(job):
                rows.append(job)
        return rows

    def saved_ms(self, frames: int, rows: Sequence[Job]) -> float:
        """What the batch costs less than its rows would in batches of their own windows."""
        return sum(self.own_ms[job.frames] for job in rows) - self.costs.predict(frames, len(rows))

    def _budget_ms(self, job: Job) -> float:
        """How long a batch may take that this job comes along in: the less urgent may not make the head late."""
        if job.kind > self.head.kind:
            return min(self.cap_ms, (self.head.target - self.now) * 1000)
        return self.cap_ms
