"""How many scheduled calls one replica dials at the same time: all it can, and fewer when there is no room. Pure.

Without it hundreds that are due at once, with lines for a few, are all tried again and again, and keep the machine so
busy that hardly any is dialled. So each refusal halves how many are dialled at once and is followed by a pause; calls
that are placed bring it back, one more for each full round. What gets no turn goes back to the store untried.
"""

from datetime import datetime, timedelta

from services.schedule_plan import NotYet, Result

AT_ONCE = 64
"""Schedules that are dialled at the same time in one replica, at most."""
PAUSE = timedelta(seconds=0.25)
"""After a refusal nobody is dialled for so long."""
PATIENCE = timedelta(seconds=5)
"""Who has had no turn for so long, as there was no room, goes back to the store,"""
AGAIN_S = 5.0
"""and is looked at again after this."""
FORGOTTEN = timedelta(seconds=30)
"""There is room again, until it is refused, when nothing was refused for so long."""
AHEAD = 4
"""Where there is no room, so many wait for each one that may be dialled; the others wait in the store."""
FEWEST_AT_HAND = 16


class Pace:
    """What one replica has been told of late. Times are the wall's clock."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._most = at_once
        self._window = float(at_once)
        self._under_way = 0
        self._refusal = ""
        self._refused_at: datetime | None = None

    def at_hand(self, most: int, now: datetime) -> int:
        """How many may be taken from the store to wait for their turn, `most` where there is room."""
        return min(most, max(FEWEST_AT_HAND, AHEAD * int(self._window))) if self._is_narrow(now) else most

    def may_begin(self, now: datetime) -> bool:
        """Whether one more may be dialled now."""
        if not self._is_narrow(now):
            return self._under_way < self._most
        return self._refused_at is not None and now >= self._refused_at + PAUSE and self._under_way < int(self._window)

    def waited_for(self, since: datetime, now: datetime) -> NotYet | None:
        """Why one that has waited since then for its turn is not to wait any longer; None: it may."""
        return NotYet(self._refusal, AGAIN_S) if self._is_narrow(now) and now - since >= PATIENCE else None

    def begun(self) -> None:
        """One is being dialled."""
        self._under_way += 1

    def ended(self, came_to: Result | NotYet | None, now: datetime) -> None:
        """That is over; None: nobody knows what came of it."""
        self._under_way -= 1
        if isinstance(came_to, NotYet):
            before = self._window if self._is_narrow(now) else float(self._most)
            self._window = max(1.0, before / 2)
            self._refused_at, self._refusal = now, came_to.reason
        elif came_to is not None and came_to.outcome == "done":
            self._window = min(float(self._most), self._window + 1 / self._window)

    def _is_narrow(self, now: datetime) -> bool:
        return self._refused_at is not None and now - self._refused_at < FORGOTTEN
