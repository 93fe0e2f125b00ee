"""Which speech-to-text worker a caller asks next. Pure; times are monotonic seconds.

A caller stays with its worker while no other is clearly better, by what each last said of its backlog and by what the
caller itself has sent there and not got back. A worker that failed is left alone for a while, longer each time.
"""

from collections.abc import Collection
from dataclasses import dataclass

from providers.roles import Transcript

CLEARLY = 1.5
SLIGHT_MS = 50.0
"""Another worker is better when it is so many times shorter and so much at least."""
PER_REQUEST_MS = 50.0
"""What a request of ours without an answer adds to a backlog told before it."""
FIRST_REST_S, LONGEST_REST_S = 0.25, 4.0
PATIENCE_S = 0.4
USUAL_TIMES = 3.0
"""An answer is overdue after PATIENCE_S, the backlog its worker told, and so many times what answers usually take."""
HEDGES, HEDGES_PER_ANSWER = 3.0, 0.1
"""How many overdue requests may be sent again at once, and for each answer: overdue answers are also what too much work
looks like, and must not double it."""
ALPHA = 0.2
"""Weight of the newest answer in what is usual."""


@dataclass(slots=True)
class _Standing:
    backlog_ms: float = 0.0
    told_at: float = 0.0
    usual_ms: float = 0.0
    outstanding: int = 0
    failures: int = 0
    rests_until: float = 0.0


class Routing:
    """One caller's view of all workers, numbered from 0; `first` is the one it starts with."""

    def __init__(self, workers: int, *, first: int = 0) -> None:
        self._standings = [_Standing() for _ in range(workers)]
        self._current = first % workers
        self._hedges = HEDGES

    def choose(self, now: float, *, without: Collection[int] = (), beside: int | None = None) -> int:
        """The worker to ask; one that rests or is in `without` only when there is nobody else.

        `beside` is a worker that has the same words to find already.
        """
        everybody = range(len(self._standings))
        awake = [worker for worker in everybody if self._standings[worker].rests_until <= now]
        if beside in awake and beside not in without:
            return beside
        able = [worker for worker in awake if worker not in without]
        able = able or [worker for worker in everybody if worker not in without] or list(everybody)
        waits = {worker: self._wait_ms(worker, now) for worker in able}
        best = min(able, key=lambda worker: (waits[worker], (worker - self._current) % len(self._standings)))
        if self._current not in waits or waits[self._current] > max(CLEARLY * waits[best], waits[best] + SLIGHT_MS):
            self._current = best
        return self._current

    def sent(self, worker: int) -> None:
        """A request is on its way."""
        self._standings[worker].outstanding += 1

    def returned(self, worker: int) -> None:
        """The request is over, however it ended."""
        self._standings[worker].outstanding -= 1

    def told(self, worker: int, answer: Transcript, now: float) -> None:
        """The worker answered, and said how long its queue is."""
        standing = self._standings[worker]
        standing.backlog_ms, standing.told_at, standing.failures = answer.backlog_ms, now, 0
        self._hedges = min(HEDGES, self._hedges + HEDGES_PER_ANSWER)
        standing.usual_ms += ALPHA * (answer.queue_ms + answer.decode_ms - standing.usual_ms)

    def patience_s(self, worker: int) -> float:
        """How long to wait for its answer before another worker is asked as well."""
        standing = self._standings[worker]
        return PATIENCE_S + (standing.backlog_ms + USUAL_TIMES * standing.usual_ms) / 1000

    def hedge(self) -> bool:
        """Whether an overdue request may be sent to another worker as well; it then counts as sent."""
        may_hedge = self._hedges >= 1.0
        self._hedges -= may_hedge
        return may_hedge

    def failed(self, worker: int, now: float) -> None:
        """The worker died, or its answer is overdue."""
        standing = self._standings[worker]
        standing.rests_until = now + min(FIRST_REST_S * 2**standing.failures, LONGEST_REST_S)
        standing.failures += 1

    def _wait_ms(self, worker: int, now: float) -> float:
        """The backlog it told, worked off since, and what we have sent there."""
        standing = self._standings[worker]
        left_ms = max(0.0, standing.backlog_ms - (now - standing.told_at) * 1000)
        return left_ms + PER_REQUEST_MS * standing.outstanding
