"""How loaded a worker is, and whether new calls should come to it. Pure; times are arguments."""

import math
from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 10.0
"""Time constant of the modelled load."""
LONGEST_UTILISATION = 0.7
LONGEST_FINAL_QUEUE_MS = 300.0
FINALS_KEPT_S = 30.0
FINALS_KEPT = 200


@dataclass(slots=True)
class Load:
    """What was asked of a worker lately. Demand is milliseconds of one slot, decaying with WINDOW_S."""

    slots: int
    _demand_ms: float = 0.0
    _at: float = 0.0
    _queues: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=FINALS_KEPT))

    def ask(self, cost_ms: float, now: float) -> None:
        """Work that cannot be refused has come in."""
        self._demand_ms = self._decayed(now) + cost_ms
        self._at = now

    def served_final(self, queue_ms: float, now: float) -> None:
        """A FINAL waited this long for its turn."""
        self._queues.append((now, queue_ms))

    def utilisation(self, now: float) -> float:
        """The share of all slots' time that the work of the last seconds takes; beyond 1 the queue grows.

        A steady demand of d ms per second settles at d * WINDOW_S, hence the division.
        """
        return self._decayed(now) / (WINDOW_S * 1000 * self.slots)

    def final_queue_p95_ms(self, now: float) -> float:
        """95 of 100 of the latest FINALs waited at most this long; 0.0 when there were none."""
        waited = sorted(queue_ms for at, queue_ms in self._queues if now - at <= FINALS_KEPT_S)
        return waited[math.ceil(0.95 * len(waited)) - 1] if waited else 0.0

    def is_admitting(self, now: float) -> bool:
        """Whether another call would find room."""
        is_roomy = self.utilisation(now) < LONGEST_UTILISATION
        return is_roomy and self.final_queue_p95_ms(now) <= LONGEST_FINAL_QUEUE_MS

    def _decayed(self, now: float) -> float:
        return self._demand_ms * math.exp(-max(0.0, now - self._at) / WINDOW_S)
