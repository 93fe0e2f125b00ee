"""Writes one entry of a call's log, and keeps the call's next minute paid for."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from actors.billing.holding import Holding
from actors.billing.rating import Prices, hold_step, rate
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
from actors.call_session.unwritten import Noted
from models.call import Call, Progress, Recording, Turn, Usage
from models.errors import CreditUnavailable
from services.call_log import CallLog, writer
from stores.calls import Still

logger = logging.getLogger(__name__)

AGAIN_S = 10.0
"""A ledger that did not answer is asked again after so long: each time the log waits for it."""


class Scribe:
    """Of one call. `usage`: what it has used until now.

    `on_empty_account`: the account cannot cover more. `on_spent`: what was set aside is used up, and nobody answers who
    could say whether there is more.
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
        on_spent: Callable[[], None],
    ) -> None:
        self._call = call
        self._log = log
        self._prices = prices
        self._usage = usage
        self._recording_path = recording_path
        self._on_empty_account = on_empty_account
        self._on_spent = on_spent
        self._holding = Holding.of_call(hold_step(prices), call.cost.total, time.monotonic())
        self._ask_at = time.monotonic()

    async def write(self, noted: Noted) -> None:
        """May be repeated. Raises what PyMongo raises, and Conflict when another actor has the call by now."""
        entry, now = noted.entry, noted.at
        # An entry that waited is not to pay for the time it waited.
        usage = self._usage().model_copy(update={"telephony_ms": noted.telephony_ms})
        cost = rate(usage, self._prices)
        match entry:
            case Connect():
                await self._log.connected(self._call, now)
            case SaveTurn():
                await self._log.record_turn(self._call, _turn(entry, noted), usage, cost, now)
                await self._cover(cost.total, noted)
            case SaveProgress():
                await self._log.save_progress(self._call, _progress(entry, noted), now)
            case TellPartial():
                await self._log.tell_partial(self._call, entry.text, entry.revision, now)
            case SaveAnsweredBy():
                await self._log.answered_by(self._call, entry.answered_by, now)
            case SaveTransfer():
                await self._log.save_transfer(self._call, entry.number, now)
            case SaveDisposition():
                await self._log.save_disposition(self._call, entry.name, entry.notes, now)
            case SaveUsage():
                await self._log.save_usage(self._call, usage, cost, now)
                await self._cover(cost.total, noted)
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
                    still=Still(actor=writer(self._call)),
                )

    def check_hold(self) -> None:
        """While nothing can be written, nothing more can be set aside: see whether what there is lasts."""
        if self._holding.is_spent(rate(self._usage(), self._prices).total):
            self._on_spent()

    async def _cover(self, cost: int, noted: Noted) -> None:
        """Keep a minute ahead of the call paid for. A ledger that does not answer gets until the hold is used up."""
        target = self._holding.target(cost, time.monotonic())
        if target is None:
            return
        if time.monotonic() < self._ask_at:
            self.check_hold()
            return
        try:
            if await self._log.cover(self._call, target, noted.at):
                self._holding.renewed(target, cost, time.monotonic())
            else:
                self._on_empty_account()
        except CreditUnavailable:
            logger.warning("the ledger does not answer", extra={"call_id": self._call.id})
            self._ask_at = time.monotonic() + AGAIN_S
            self.check_hold()


def _turn(entry: SaveTurn, noted: Noted) -> Turn:
    return Turn(
        index=noted.index,
        role="user" if entry.role == "user" else "assistant",
        content=entry.text,
        timestamp=noted.at,
        interrupted=entry.interrupted,
        revision=entry.revision,
        timings=entry.timings,
        functions=entry.functions,
    )


def _progress(entry: SaveProgress, noted: Noted) -> Progress:
    return Progress(
        text=entry.text,
        clause=entry.clause,
        clause_at=noted.at + timedelta(seconds=entry.starts_in_s),
        clause_ms=round(entry.clause_s * 1000),
        functions=entry.functions,
    )
