"""Writes one call's log in order, behind the conversation: the database never holds up the audio.

While the database is away, what there is to write waits here, in order, and is written when it is back. Every write may
be repeated, so one whose answer was lost is done once.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from actors.billing.rating import Prices
from actors.call_session.commands import Finish, SaveTurn
from actors.call_session.scribe import Scribe
from actors.call_session.unwritten import Entry, Noted, Unwritten, says_of_caller
from models.call import Call, Usage
from models.errors import Conflict
from services import meters
from services.call_log import CallLog
from stores.outage import AWAY

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
FINISH_S = 600.0
"""After the call's end its log waits so much longer for the database; then the sweeper has to close it."""


class _GivenUp(Exception):
    """The database did not come back in time."""


class Journal:
    """One writer, one buffer. `run` ends after the final entry.

    `buffer`: entries that may wait for the database before the call has to end, which `on_stuck` is told, once; room
    for those of its end comes on top. It is told as well when what was set aside for the call is used up meanwhile.
    `clock` (monotonic, seconds) and `pause` are time itself.
    """

    def __init__(
        self,
        call: Call,
        log: CallLog,
        *,
        prices: Prices,
        usage: Callable[[], Usage],
        recording_path: Path,
        on_empty_account: Callable[[], None],
        on_stuck: Callable[[], None],
        buffer: int,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._call_id = call.id
        self._usage = usage
        self._on_stuck = on_stuck
        self._clock = clock
        self._pause = pause
        self._scribe = Scribe(
            call,
            log,
            prices=prices,
            usage=usage,
            recording_path=recording_path,
            on_empty_account=on_empty_account,
            on_spent=self._stop,
        )
        self._turns = max((turn.index + 1 for turn in call.turns), default=0)
        self._unwritten = Unwritten(buffer)
        self._writing: Noted | None = None
        self._is_added = asyncio.Event()
        self._is_away = False
        self._is_stuck = False
        self._is_over = False
        self._finish_by: float | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something the caller said is not written yet."""
        is_writing = self._writing is not None and says_of_caller(self._writing)
        return is_writing or self._unwritten.has_caller_turn

    def add(self, entry: Entry) -> None:
        """Write this next; the time is now, however long the database takes."""
        if self._is_over:
            return
        noted = Noted(entry, datetime.now(UTC), self._usage().telephony_ms, self._turns)
        if not self._unwritten.add(noted, is_away=self._is_away):
            logger.error("a log entry is lost", extra={"call_id": self._call_id, "entry": type(entry).__name__})
            return
        self._turns += isinstance(entry, SaveTurn)
        if isinstance(entry, Finish):
            self._finish_by = self._clock() + FINISH_S
        if self._unwritten.is_full:
            self._stop()
        self._is_added.set()
        self._measure()

    async def run(self) -> None:
        """Write until the call is finished, or is another actor's, or the database is given up."""
        try:
            while not self._is_over:
                self._writing = await self._next()
                await self._write(self._writing)
                self._is_over = isinstance(self._writing.entry, Finish)
                self._writing = None
                self._measure()
        except Conflict:
            logger.warning("another actor has the call", extra={"call_id": self._call_id})
        except _GivenUp:
            left = 1 + len(self._unwritten)
            logger.error("a call's log is given up", extra={"call_id": self._call_id, "entries": left})
        finally:
            self._is_over, self._writing = True, None
            self._unwritten.clear()
            self._measure()

    async def _next(self) -> Noted:
        while (noted := self._unwritten.next()) is None:
            self._is_added.clear()
            await self._is_added.wait()
        return noted

    async def _write(self, noted: Noted) -> None:
        """Repeat until it is written."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._scribe.write(noted)
            except AWAY as error:
                self._suffer(error)
            else:
                self._recover()
                return
            if self._finish_by is not None and self._clock() >= self._finish_by:
                raise _GivenUp
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _suffer(self, error: Exception) -> None:
        meters.count("log_retries_total")
        if not self._is_away:
            fault = type(error).__name__
            logger.warning("a call's log waits for the database", extra={"call_id": self._call_id, "error": fault})
        self._is_away = True
        self._unwritten.drop_partials()
        self._scribe.check_hold()

    def _recover(self) -> None:
        if self._is_away:
            extra = {"call_id": self._call_id, "entries": len(self._unwritten)}
            logger.warning("a call's log is written again", extra=extra)
        self._is_away = False

    def _stop(self) -> None:
        """The call cannot go on like this; its end is written when it can be."""
        if not self._is_stuck and self._finish_by is None:
            self._is_stuck = True
            logger.error("a call's log is stuck", extra={"call_id": self._call_id, "entries": len(self._unwritten)})
            self._on_stuck()

    def _measure(self) -> None:
        meters.set_to("log_behind", len(self._unwritten) + (self._writing is not None))
