"""Writes one call's log in order, behind the conversation: the database never holds up the audio."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from actors.billing.holding import Holding
from actors.billing.rating import Prices, hold_step, rate
from actors.call_session.protocol import (
    Connect,
    Finish,
    ReportError,
    SaveAnsweredBy,
    SaveTransfer,
    SaveTurn,
    SaveUsage,
    TellPartial,
)
from models.call import Call, Recording, Turn, Usage
from models.errors import CreditUnavailable
from services.call_log import CallLog

Entry = Connect | SaveTurn | TellPartial | SaveAnsweredBy | SaveTransfer | SaveUsage | ReportError | Finish

logger = logging.getLogger(__name__)

MAX_WAITING = 500
"""Entries the log may fall behind before the call fails: about an hour of conversation."""
MAX_PARTIALS_BEHIND = 10


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
        step = hold_step(prices)  # which is what the call was begun with
        self._holding = Holding(step, held=step, renewed_at=time.monotonic(), cost_then=call.cost.total)
        self._entries: asyncio.Queue[tuple[Entry, datetime]] = asyncio.Queue(MAX_WAITING)

    def add(self, entry: Entry) -> None:
        """Write this next; the time is now, however long the database takes. Behind a slow one partial texts are left
        out: they would be late, and are replaced by the next.
        """
        if isinstance(entry, TellPartial) and self._entries.qsize() > MAX_PARTIALS_BEHIND:
            return
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
                await self._log.record_turn(self._call, turn, usage, cost, now)
                await self._cover(cost.total, now)
            case TellPartial():
                await self._log.tell_partial(self._call, entry.text, entry.revision, now)
            case SaveAnsweredBy():
                await self._log.answered_by(self._call, entry.answered_by, now)
            case SaveTransfer():
                await self._log.save_transfer(self._call, entry.number, now)
            case SaveUsage():
                await self._log.save_usage(self._call, usage, cost, now)
                await self._cover(cost.total, now)
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
            revision=entry.revision,
            timings=entry.timings,
        )

    async def _cover(self, cost: int, now: datetime) -> None:
        """Keep a minute ahead of the call paid for. A ledger that does not answer gets until the hold is used up."""
        target = self._holding.target(cost, time.monotonic())
        if target is None:
            return
        try:
            if await self._log.cover(self._call, target, now):
                self._holding.renewed(target, cost, time.monotonic())
            else:
                self._on_empty_account()
        except CreditUnavailable:
            logger.warning("the ledger does not answer", extra={"call_id": self._call.id})
            if self._holding.is_spent(cost):
                self._on_empty_account()
