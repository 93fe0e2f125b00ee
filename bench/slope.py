"""A straight line through measurements, and how sure its slope is. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slope:
    """Per unit of x; `error` is the standard error of it."""

    per_x: float
    error: float

    def is_flat(self, tolerance: float) -> bool:
        """Whether it may be less than the tolerance, for all the measurements say (two standard errors)."""
        return self.per_x - 2 * self.error <= tolerance


def fitted(points: Sequence[tuple[float, float]]) -> Slope | None:
    """Least squares; None: fewer than three points, or all at one x."""
    count = len(points)
    if count < 3:
        return None
    mean_x, mean_y = (sum(point[axis] for point in points) / count for axis in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    squares = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return Slope(slope, math.sqrt(squares / (count - 2) / spread))
