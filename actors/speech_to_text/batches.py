"""Which of the waiting jobs are decoded together. Pure.

The most urgent job goes now. Others come along when they fit its window and its prompt, when the batch stays within
the time cap, and, if they are less urgent, when it will still be answered on time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from actors.speech_to_text.costs import CostTable
from actors.speech_to_text.jobs import Batch, Job, Limits
from providers.roles import SttKind

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
        filling = _Filling(self.costs, head, cap_ms, now, room)
        rows = filling.rows(head.frames, [job for job in mates if job.frames == head.frames])
        shorter = [job for job in mates if job.frames == self._next(head.frames, -1)]
        if with_shorter := filling.all_rows(head.frames, rows, shorter):
            return self._batch(with_shorter, head.frames, now)
        wider = self._next(head.frames, +1)
        if len(rows) == 1 and wider is not None:
            longer = [job for job in mates if job.frames == wider]
            joined = filling.rows(wider, longer) if longer else rows
            if len(joined) > 1 and self._saves(head.frames, wider, len(joined) - 1):
                return self._batch(joined, wider, now)
        return self._batch(rows, head.frames, now)

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

    def _saves(self, narrow: int, wide: int, others: int) -> bool:
        """Whether one launch in the wide window is cheaper than two."""
        apart = self.costs.predict(narrow, 1) + self.costs.predict(wide, others)
        return self.costs.predict(wide, others + 1) <= apart

    def _next(self, frames: int, step: int) -> int | None:
        at = self.limits.buckets.index(frames) + step
        return self.limits.buckets[at] if 0 <= at < len(self.limits.buckets) else None

    def _batch(self, jobs: Sequence[Job], frames: int, now: float) -> Batch:
        is_thorough = jobs[0].is_thorough
        return Batch(tuple(jobs), frames, now, self.costs.predict(frames, len(jobs), is_thorough=is_thorough))


@dataclass(frozen=True, slots=True)
class _Filling:
    """How many may come along with `head`."""

    costs: CostTable
    head: Job
    cap_ms: float
    now: float
    room: int

    def rows(self, frames: int, mates: Sequence[Job]) -> list[Job]:
        """The head and as many mates as fit, in order."""
        rows = [self.head]
        for job in mates:
            if not self._fits(frames, len(rows) + 1, job):
                break
            rows.append(job)
        return rows

    def all_rows(self, frames: int, rows: Sequence[Job], others: Sequence[Job]) -> list[Job]:
        """`rows` and all the others, which saves their launch; empty unless every one of them fits."""
        size = len(rows) + len(others)
        fits = bool(others) and all(self._fits(frames, size, job) for job in others)
        return [*rows, *others] if fits else []

    def _fits(self, frames: int, size: int, job: Job) -> bool:
        budget_ms = self.cap_ms
        if job.kind > self.head.kind:
            budget_ms = min(budget_ms, (self.head.target - self.now) * 1000)
        return size <= self.room and self.costs.predict(frames, size) <= budget_ms
