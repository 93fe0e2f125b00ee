"""Who is decoded next, with whom, and who not at all. Pure; times are arguments, monotonic seconds.

FINALs go first, earliest deadline first, and are never shed. SPECs follow in order of arrival, then PARTIALs, those
calls first that heard nothing the longest. Nobody waits while a slot is free, except PARTIALs for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.speech_to_text.batches import Former
from actors.speech_to_text.costs import CostTable
from actors.speech_to_text.jobs import Batch, Job, Limits, Ticket
from actors.speech_to_text.load import Load
from providers.roles import SttKind

PARTIALS_OFF_MS = 400.0
SPECS_OFF_MS = 800.0
"""Predicted wait for the FINALs and SPECs in the queue beyond which the less urgent are shed."""
SPEC_PATIENCE_S = 0.8
"""A SPEC that waited this long is of no use: its caller has asked for a FINAL or speaks again."""
GATHER_S = 0.008
"""PARTIALs alone wait this long for company, unless GATHERED are there already."""
GATHERED = 4
UPDATES_KEPT = 4096


class QueueFull(Exception):
    """So many FINALs wait that another one would not be served in time; try another worker."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: decode `batch`, tell `shed` that they were not decoded, look again at `look_at`."""

    batch: Batch | None
    shed: tuple[Ticket, ...]
    look_at: float | None = None


class Scheduler:
    """The queue of one worker and its slots. Whoever joins leaves once: in a batch, shed, or withdrawn."""

    def __init__(self, limits: Limits, costs: CostTable | None = None) -> None:
        self.limits = limits
        self.costs = costs or CostTable()
        self.load = Load(limits.slots)
        self._former = Former(limits, self.costs)
        self._waiting: dict[Ticket, Job] = {}
        self._flying: dict[Ticket, Job] = {}
        self._busy = 0
        self._updated: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """Requests in the queue, those that ride along not counted."""
        return len(self._waiting)

    def waiting_by_kind(self) -> dict[SttKind, int]:
        """The same, of each kind."""
        kinds = [job.kind for job in self._waiting.values()]
        return {kind: kinds.count(kind) for kind in SttKind}

    @property
    def free(self) -> int:
        """Slots nobody has."""
        return self.limits.slots - self._busy

    def backlog_ms(self) -> float:
        """How long the FINALs and SPECs that wait would keep all slots busy."""
        return self._former.drain_ms(list(self._waiting.values()))

    def finals_per_s(self, frames: int) -> float:
        """How many utterances of such a window the worker could answer, nothing else asked of it."""
        batch = self._former.best_batch(frames)
        return self.limits.slots * batch * 1000 / self.costs.predict(frames, batch)

    def offer(self, job: Job, now: float) -> tuple[Ticket, ...]:
        """A new request joins; returns who is shed for it, itself perhaps. Raises QueueFull for a FINAL."""
        if (twin := self._twin(job)) is not None:
            twin.riders.append(job)
            return ()
        tickets = self._drop([each for each in self._waiting.values() if job.supersedes(each)])
        if self._is_worthless(job):
            return (*tickets, job.ticket)
        if len(self._waiting) >= self.limits.waiting:
            last = max(self._waiting.values(), key=lambda each: (each.kind, each.arrived))
            if last.kind <= job.kind and job.kind is SttKind.FINAL:
                raise QueueFull
            if last.kind <= job.kind:
                return (*tickets, job.ticket)
            tickets += self._drop([last])
        self._waiting[job.ticket] = job
        if job.kind is not SttKind.PARTIAL:
            batch = self._former.best_batch(job.frames)
            self.load.ask(self.costs.predict(job.frames, batch) / batch, now)
        return tickets

    def withdraw(self, ticket: Ticket) -> None:
        """Nobody waits for this answer any longer; who rode along with it still does."""
        for each in (*self._waiting.values(), *self._flying.values()):
            if each.riders:
                each.riders = [rider for rider in each.riders if rider.ticket != ticket]
        job = self._waiting.pop(ticket, None)
        if job is not None and job.riders:
            heir, *heir.riders = job.riders
            if job.is_thorough:
                heir.is_thorough, heir.frames = True, job.frames
            self._waiting[heir.ticket] = heir

    def next(self, now: float) -> Step:
        """What may start now. Call again until there is no batch, and whenever something changed."""
        shed = self._drop([job for job in self._waiting.values() if self._is_too_late(job, now)])
        if self.backlog_ms() > PARTIALS_OFF_MS:
            shed += self._drop([job for job in self._waiting.values() if job.kind is SttKind.PARTIAL])
        order = self._order() if self.free else []
        if not order:
            return Step(None, shed)
        if order[0].kind is SttKind.PARTIAL:
            if self.limits.slots > 1 and self.free == 1:  # kept for whoever is urgent
                return Step(None, shed)
            look_at = min(job.arrived for job in order) + GATHER_S
            if len(order) < GATHERED and now < look_at:
                return Step(None, shed, look_at)
        return Step(self._start(order, now), shed)

    def finish(self, batch: Batch, encode_ms: float, decode_ms: float, now: float) -> None:
        """A batch is done; its slot is free and its cost known."""
        self._busy -= 1
        self.costs.learn(batch.frames, len(batch.jobs), encode_ms, decode_ms, is_thorough=batch.is_thorough)
        for job in batch.jobs:
            del self._flying[job.ticket]
            self._updated[job.call] = now
        if len(self._updated) > UPDATES_KEPT:
            newest = sorted(self._updated.items(), key=lambda item: item[1])[UPDATES_KEPT // 2 :]
            self._updated = dict(newest)

    def retry(self, job: Job, now: float) -> bool:
        """Have a doubtful answer decoded again, alone, in the longest window with more care; False: better not.

        A FINAL is worth whatever its deadline allows; a SPEC only what keeps no FINAL waiting; a PARTIAL nothing.
        """
        longest = self.limits.buckets[-1]
        cost_ms = self.costs.predict(longest, 1, is_thorough=True)
        fits = {
            SttKind.FINAL: now + cost_ms / 1000 < job.due,
            SttKind.SPEC: cost_ms <= self.limits.cap_ms and self.backlog_ms() <= self.limits.cap_ms,
            SttKind.PARTIAL: False,
        }
        if job.is_thorough or not fits[job.kind] or self._is_worthless(job):
            return False
        job.is_thorough, job.frames = True, longest
        self._waiting[job.ticket] = job
        self.load.ask(cost_ms, now)
        return True

    # --- private, in call order ---------------------------------------------------------------------------
    def _twin(self, job: Job) -> Job | None:
        """Whoever waits for the same words already, or has them being decoded."""
        everybody = (*self._waiting.values(), *self._flying.values())
        return next((each for each in everybody if each.has_same_words_as(job)), None)

    def _is_worthless(self, job: Job) -> bool:
        """Whether something newer is here already, or the queue too long for its kind."""
        if job.kind is SttKind.FINAL:
            return False
        if any(other.supersedes(job) for other in (*self._waiting.values(), *self._flying.values())):
            return True
        return self.backlog_ms() > (SPECS_OFF_MS if job.kind is SttKind.SPEC else PARTIALS_OFF_MS)

    def _drop(self, jobs: Sequence[Job]) -> tuple[Ticket, ...]:
        for job in jobs:
            del self._waiting[job.ticket]
        return tuple(ticket for job in jobs for ticket in job.tickets())

    def _is_too_late(self, job: Job, now: float) -> bool:
        return job.kind is SttKind.SPEC and now - job.arrived > SPEC_PATIENCE_S

    def _order(self) -> list[Job]:
        """Everybody who may go now, most urgent first.

        Of a call one PARTIAL is decoded at a time, and of several slots one is kept free of second opinions.
        """
        hearing = {job.call for job in self._flying.values() if job.kind is SttKind.PARTIAL}
        thorough = sum(job.is_thorough for job in self._flying.values())
        has_room = thorough < max(1, self.limits.slots - 1)
        able = [
            job
            for job in self._waiting.values()
            if (job.kind is not SttKind.PARTIAL or job.call not in hearing) and (has_room or not job.is_thorough)
        ]
        return sorted(able, key=self._rank)

    def _rank(self, job: Job) -> tuple[SttKind, float, float]:
        first = {
            SttKind.FINAL: job.due,
            SttKind.SPEC: job.arrived,
            SttKind.PARTIAL: self._updated.get(job.call, float("-inf")),
        }
        return job.kind, first[job.kind], job.arrived

    def _start(self, order: Sequence[Job], now: float) -> Batch:
        batch = self._former.form(order, now, free=self.free)
        self._busy += 1
        for job in batch.jobs:
            self._flying[job.ticket] = self._waiting.pop(job.ticket)
            if job.kind is SttKind.FINAL and not job.is_thorough:
                self.load.served_final((now - job.arrived) * 1000, now)
        return batch
