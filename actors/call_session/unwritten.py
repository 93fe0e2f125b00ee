"""What of a call's log is not written yet: in order, bounded, and with room for the end. Decides only; no clock."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from actors.call_session.commands import (
    Connect,
    Finish,
    ReportError,
    SaveAnsweredBy,
    SaveDisposition,
    SaveProgress,
    SaveTransfer,
    SaveTurn,
    SaveUsage,
    TellPartial,
)

Entry = (
    Connect
    | SaveTurn
    | SaveProgress
    | TellPartial
    | SaveAnsweredBy
    | SaveTransfer
    | SaveDisposition
    | SaveUsage
    | ReportError
    | Finish
)

CLOSING_ROOM = 20
"""Kept beyond the limit for what a call still has to say once it is told to end."""
MAX_PARTIALS_BEHIND = 10


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry as it was when it was added: `index` is that of its turn, `telephony_ms` what the line had cost."""

    entry: Entry
    at: datetime
    telephony_ms: int = 0
    index: int = 0


class Unwritten:
    """The entries of one call; `limit`: how many may wait before the call should end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Noted] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Only the end has room now."""
        return len(self._waiting) >= self._limit

    @property
    def has_caller_turn(self) -> bool:
        """Whether something the caller said is among them."""
        return any(says_of_caller(noted) for noted in self._waiting)

    def add(self, noted: Noted, *, is_away: bool = False) -> bool:
        """Keep an entry; False: it is lost, for there is no room even for an end.

        Partial texts are replaced by the next, and late ones are nobody's: behind a slow database, or while it
        `is_away`, they are left out. Usage, progress and disposition take the place of what they said before. The last
        entry, which closes the log, always fits.
        """
        entry = noted.entry
        if isinstance(entry, TellPartial):
            if not is_away and len(self._waiting) <= MAX_PARTIALS_BEHIND:
                self._waiting.append(noted)
            return True
        if isinstance(entry, SaveUsage | SaveProgress | SaveDisposition):
            self._forget(type(entry))
        if len(self._waiting) >= self._limit + CLOSING_ROOM and not isinstance(entry, Finish):
            return False
        self._waiting.append(noted)
        return True

    def next(self) -> Noted | None:
        """Take the oldest; None: all is written."""
        return self._waiting.popleft() if self._waiting else None

    def drop_partials(self) -> None:
        """The database went away under them."""
        self._forget(TellPartial)

    def clear(self) -> None:
        """Nobody is to write them any more."""
        self._waiting.clear()

    def _forget(self, kind: type[Entry]) -> None:
        self._waiting = deque(noted for noted in self._waiting if not isinstance(noted.entry, kind))


def says_of_caller(noted: Noted) -> bool:
    """Whether the entry is a turn of the caller's."""
    return isinstance(noted.entry, SaveTurn) and noted.entry.role == "user"
