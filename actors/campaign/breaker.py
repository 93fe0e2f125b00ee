"""Whether the carrier fails so often that a campaign had better stop dialling. Pure."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from models.campaign import Breaker, Outcome


class CarrierWatch:
    """How the last calls ended, by when; nothing older than the window counts."""

    def __init__(self, ended: Iterable[tuple[datetime, Outcome]] = ()) -> None:
        self._ended: deque[tuple[datetime, bool]] = deque()
        for at, outcome in sorted(ended):
            self._ended.append((at, outcome is Outcome.FAILED))

    def trips(self, breaker: Breaker, outcome: Outcome, now: datetime) -> bool:
        """Count a call that ended now; whether the campaign has to pause. It begins to count anew if so."""
        self._ended.append((now, outcome is Outcome.FAILED))
        while self._ended[0][0] <= now - timedelta(seconds=breaker.window_s):
            self._ended.popleft()
        failures = sum(is_failure for _, is_failure in self._ended)
        if not breaker.enabled or len(self._ended) < breaker.min_calls:
            return False
        if failures < breaker.failure_share * len(self._ended):
            return False
        self._ended.clear()
        return True
