"""How many call actors to have ready ahead of demand: the rate of calls times what a start takes. Pure.

Times are seconds of a monotonic clock.
"""

import math
from collections import OrderedDict

WINDOW_S = 5.0
"""Over so long arrivals are counted: a rate shows at once, and one call is not yet a crowd."""
HALF_LIFE_S = 30.0
"""How slowly a rate is forgotten: calls come in bursts, and the next one should find the actors of the last."""
QUIET_PER_S = 0.02
"""Below one call in 50 seconds nothing is kept for the rate; the least number of idle actors is enough."""
SAFETY = 1.5
"""Starts take longer the more happen at once, and arrivals are not even."""
FIRST_START_S = 3.0
"""What a start is taken for before one was measured."""
NEWEST = 0.3
"""The weight of the last start in the smoothed start time."""


class Demand:
    """Arrivals and starts, smoothed. An arrival is a session that asks, however often it asks within the window."""

    def __init__(self) -> None:
        self._window: OrderedDict[str, float] = OrderedDict()
        self._rate = 0.0
        self._rate_at = 0.0
        self._start_s: float | None = None

    @property
    def start_s(self) -> float:
        """What the next start will take, by the last ones."""
        return FIRST_START_S if self._start_s is None else self._start_s

    def arrived(self, session_id: str, now: float) -> None:
        """A call asks for an actor."""
        while self._window and next(iter(self._window.values())) <= now - WINDOW_S:
            self._window.popitem(last=False)
        self._window.setdefault(session_id, now)
        self._rate, self._rate_at = max(self._decayed(now), len(self._window) / WINDOW_S), now

    def started(self, took_s: float) -> None:
        """An actor became warm in so long."""
        self._start_s = took_s if self._start_s is None else self._start_s + NEWEST * (took_s - self._start_s)

    def rate(self, now: float) -> float:
        """Calls per second: rises at once, falls by half in HALF_LIFE_S."""
        rate = self._decayed(now)
        return rate if rate >= QUIET_PER_S else 0.0

    def ahead(self, now: float) -> int:
        """How many calls may come while one actor starts."""
        return math.ceil(self.rate(now) * self.start_s * SAFETY)

    def _decayed(self, now: float) -> float:
        return self._rate * math.pow(0.5, max(0.0, now - self._rate_at) / HALF_LIFE_S)
