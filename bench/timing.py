"""Latencies: taken one after another, printed as p50 and p99."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latencies:
    """In milliseconds, in the order they were taken."""

    all_ms: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.all_ms)

    @property
    def p99(self) -> float:
        """99 of 100 are at most this; of fewer than 100, the largest."""
        return sorted(self.all_ms)[max(0, -(-len(self.all_ms) * 99 // 100) - 1)]

    def __str__(self) -> str:
        return f"p50 {self.p50:7.1f}  p99 {self.p99:7.1f} ms  ({len(self.all_ms)})"


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """How long one takes, in milliseconds."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def repeated(work: Callable[[], Awaitable[object]], times: int, *, within_s: float) -> Latencies:
    """So many, one after another, but no longer than that."""
    until = time.perf_counter() + within_s
    taken: list[float] = []
    while len(taken) < times and (not taken or time.perf_counter() < until):
        taken.append(await timed(work))
    return Latencies(taken)
