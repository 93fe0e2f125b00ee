"""Writes one call's log in order, behind the conversation: the database never holds up the audio."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from actors.billing.rating import Prices, rate
from actors.call_session.protocol import Connect, Finish, ReportError, SaveTurn, SaveUsage
from models.call import Call, Recording, Turn, Usage
from services.call_log import CallLog

Entry = Connect | SaveTurn | SaveUsage | ReportError | Finish

MAX_WAITING = 500
"""Entries the log may fall behind before the call fails: about an hour of conversation."""


class Journal:
    """One writer, one queue. `run` ends after the final entry."""

    def __init__(
        self,
        call: Call,
        log: CallLog,
        *,
        prices: Prices,
        usage: Callable[[], Usage],
        recording_path: Path,
        on_empty_account: Callable[[], None],
    ) -> None:
        self._call = call
        self._log = log
        self._prices = prices
        self._usage = usage
        self._recording_path = recording_path
        self._on_empty_account = on_empty_account
        self._turns = len(call.turns)
        self._entries: asyncio.Queue[tuple[Entry, datetime]] = asyncio.Queue(MAX_WAITING)

    def add(self, entry: Entry) -> None:
        """Write this next; the time is now, however long the database takes."""
        self._entries.put_nowait((entry, datetime.now(UTC)))

    async def run(self) -> None:
        """Write until the call is finished."""
        while True:
            entry, now = await self._entries.get()
            await self._write(entry, now)
            if isinstance(entry, Finish):
                return

    async def _write(self, entry: Entry, now: datetime) -> None:
        usage = self._usage()
        cost = rate(usage, self._prices)
        match entry:
            case Connect():
                await self._log.connected(self._call, now)
            case SaveTurn():
                turn = self._next_turn(entry, now)
                self._check_balance(await self._log.record_turn(self._call, turn, usage, cost, now))
            case SaveUsage():
                self._check_balance(await self._log.save_usage(self._call, usage, cost, now))
            case ReportError():
                await self._log.report_error(self._call, entry.code, entry.message, now)
            case Finish():
                recording = Recording(path=str(self._recording_path)) if self._recording_path.exists() else None
                await self._log.finish(
                    self._call,
                    status=entry.status,
                    reason=entry.reason,
                    usage=usage,
                    cost=cost,
                    recording=recording,
                    now=now,
                )

    def _next_turn(self, entry: SaveTurn, now: datetime) -> Turn:
        self._turns += 1
        return Turn(
            index=self._turns - 1,
            role="user" if entry.role == "user" else "assistant",
            content=entry.text,
            timestamp=now,
            interrupted=entry.interrupted,
            timings=entry.timings,
        )

    def _check_balance(self, balance_micros: int) -> None:
        if balance_micros <= 0:
            self._on_empty_account()
