"""How late an actor's event loop is: the first thing to know of a process whose audio stutters."""

import asyncio
import time
from bisect import bisect_left

from services import meters

EVERY_S = 0.1
TOLD_AFTER = 10
"""Measurements of which the worst is counted for the whole product: one number a second."""
EDGES_MS = (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000)


class LoopLag:
    """Wakes ten times a second and counts how late; percentiles are the upper edges of the buckets they fall in."""

    def __init__(self) -> None:
        self._counts = [0] * (len(EDGES_MS) + 1)
        self._max_ms = 0.0
        self._untold: list[float] = []

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self.add((time.monotonic() - due) * 1000)

    def add(self, late_ms: float) -> None:
        """One more measurement."""
        self._counts[bisect_left(EDGES_MS, late_ms)] += 1
        self._max_ms = max(self._max_ms, late_ms)
        self._untold.append(late_ms)
        if len(self._untold) == TOLD_AFTER:
            meters.observe("call_loop_lag_ms", max(self._untold))
            self._untold.clear()

    def figures(self) -> dict[str, float]:
        """`p50`, `p99` and `max` in milliseconds."""
        return {"p50": self._percentile(0.50), "p99": self._percentile(0.99), "max": round(self._max_ms, 1)}

    def _percentile(self, share: float) -> float:
        wanted, seen = share * sum(self._counts), 0
        for count, edge in zip(self._counts, EDGES_MS, strict=False):
            seen += count
            if seen >= wanted:
                return min(edge, round(self._max_ms, 1))
        return round(self._max_ms, 1)
