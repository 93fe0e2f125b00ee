"""Waits of many turns in one line: median, 95th percentile and worst, in milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds, in any order."""

    all_ms: Sequence[float]

    def quantile(self, share: float) -> float:
        """The smallest of them that `share` of all do not exceed; not a number when there are none."""
        ordered = sorted(self.all_ms)
        return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)] if ordered else float("nan")

    def __str__(self) -> str:
        if not self.all_ms:
            return "none"
        shown = (f"{name} {self.quantile(share):5.0f}" for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)))
        return "  ".join(shown) + f" ms  ({len(self.all_ms)})"


def in_ms(seconds: Sequence[float | None]) -> Spread:
    """The spread of those that happened."""
    return Spread([each * 1000 for each in seconds if each is not None])


def of(part: int, whole: int) -> str:
    """A count with its share."""
    return f"{part} of {whole}" + (f" ({part / whole:.1%})" if whole else "")
