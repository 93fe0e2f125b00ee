"""Closes the ledger of calls that are over, or never were, where whoever was to do it died before."""

from datetime import datetime, timedelta

from models.errors import CreditUnavailable
from services.call_log import CallLog
from services.credit import Credit
from stores.calls import Calls
from stores.holds import Holds, OpenHold

AT_ONCE = 500
AGAIN_S = 60
"""A live call is looked at once a minute."""
ORPHAN_S = 600
"""Credit set aside so long ago for a call that is not stored belongs to a process that died between the two writes."""


class Leftovers:
    """Run by the sweeper; closing what is closed changes nothing."""

    def __init__(self, holds: Holds, calls: Calls, call_log: CallLog, credit: Credit) -> None:
        self._holds = holds
        self._calls = calls
        self._log = call_log
        self._credit = credit

    async def settle(self, now: datetime) -> None:
        """Look after the holds that are due."""
        due = await self._holds.due(now, AT_ONCE)
        if not due:
            return
        # First, so that one that cannot be settled now does not keep the others waiting.
        await self._holds.postpone([hold.call_id for hold in due], now + timedelta(seconds=AGAIN_S))
        known = await self._calls.by_ids(hold.call_id for hold in due)
        for hold in due:
            call = known.get(hold.call_id)
            if call is not None and call.status.is_final:
                await self._log.settle(call, now)
            elif call is None and now - hold.opened_at > timedelta(seconds=ORPHAN_S):
                await self._let_go(hold, now)

    async def _let_go(self, hold: OpenHold, now: datetime) -> None:
        try:
            await self._credit.close(hold.organization_id, hold.call_id, 0, now)
        except CreditUnavailable:
            return  # it is on the list still
