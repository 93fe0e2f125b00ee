"""How loud a call's agent was at the ear over time, and when that changed: for measuring interruptions. Pure.

Levels are dBFS in frames of 10 ms; moments are seconds on the clock of `origin`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from simulators.sound import Floats

GRAIN_S = 0.01
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Loudness:
    """A level per frame; the first frame begins at `origin`."""

    levels: npt.NDArray[np.float64]
    origin: float

    @classmethod
    def of(cls, samples: Floats, rate_hz: int, origin: float) -> Self:
        """The levels of a sound that begins at `origin`; what is left of the last frame is dropped."""
        size = int(GRAIN_S * rate_hz)
        frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
        power = np.mean(np.square(frames), axis=1)
        return cls(10 * np.log10(np.maximum(power, _FLOOR)), origin)

    def usual(self, start: float, end: float) -> float:
        """The median level between two moments; -120 when there is nothing in between."""
        part = self.levels[self._index(start) : self._index(end)]
        return float(np.median(part)) if len(part) else -120.0

    def falls(self, after: float, to_dbfs: float, *, for_s: float) -> float | None:
        """When, from `after` on, it is first at most this loud for so long; None: never."""
        return self._first(self.levels <= to_dbfs, after, for_s)

    def rises(self, after: float, to_dbfs: float, *, for_s: float) -> float | None:
        """When, from `after` on, it is first at least this loud for so long; None: never."""
        return self._first(self.levels >= to_dbfs, after, for_s)

    def _first(self, is_so: npt.NDArray[np.bool_], after: float, for_s: float) -> float | None:
        frames, start = max(1, round(for_s / GRAIN_S)), self._index(after)
        runs = np.convolve(is_so[start:].astype(int), np.ones(frames, dtype=int), mode="valid")
        found = np.flatnonzero(runs == frames) if len(is_so) - start >= frames else np.zeros(0, dtype=int)
        return max(after, self.origin + (start + int(found[0])) * GRAIN_S) if len(found) else None

    def _index(self, moment: float) -> int:
        return min(len(self.levels), max(0, int((moment - self.origin) / GRAIN_S + 1e-6)))
