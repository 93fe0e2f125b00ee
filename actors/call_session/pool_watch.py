"""When a call actor that does not answer is taken for dead. Pure.

An actor is asked for its health every LOOK_S, whatever else is still unanswered. Silent for SILENT_S it is a zombie: it
is killed and replaced, even in the middle of a call, which goes on at another actor. So one that freezes is gone
LOOK_S + SILENT_S later at the latest. But on a machine where everything waits, silence means nothing: only a watcher
that was itself on time all the while may judge, the others ask again.

Times are seconds of a monotonic clock.
"""

import zlib
from collections import deque

LOOK_S = 2.0
SILENT_S = 2.5
TICK_S = 0.1
"""How often the watcher looks at its own lateness, and at the actors whose turn it is."""
TURNS = round(LOOK_S / TICK_S)
"""Actors are asked one part after the other: all of a big node's at once would hold up calls that come just then."""
LATE_S = 0.4
"""The watcher sleeps nearly always, so the system wakes it before anybody busy: that late, the machine is starved."""


def is_its_turn(name: str, tick: int) -> bool:
    """Whether an actor is asked at this tick: at one of TURNS, always the same."""
    return zlib.crc32(name.encode()) % TURNS == tick % TURNS


class Punctuality:
    """Whether the watcher was on time lately. It means to tick every TICK_S."""

    def __init__(self, now: float) -> None:
        self._last = now
        self._late: deque[float] = deque()

    def tick(self, now: float) -> None:
        """One tick; the time since the last says how late it is."""
        if now - self._last > TICK_S + LATE_S:
            self._late.append(now)
        while self._late and self._late[0] < now - 2 * SILENT_S:
            self._late.popleft()
        self._last = now

    def was_on_time(self, since: float, now: float) -> bool:
        """Whether no tick between the two was late, or is missing."""
        is_missing = now - self._last > TICK_S + LATE_S
        return not is_missing and not any(at >= since for at in self._late)


def is_zombie(asked_at: float, now: float, watcher: Punctuality) -> bool:
    """Whether an actor asked then, and silent since, is to be killed."""
    return now - asked_at > SILENT_S - TICK_S and watcher.was_on_time(asked_at, now)
