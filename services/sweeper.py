"""Closes what nobody else will: calls that rang out, calls whose carrier is lost, settlements cut short by a crash.

Run periodically by one process or by several; every step is conditional, so they do not disturb each other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bson import ObjectId

from models.call import CallStatus
from models.document import Id
from models.settings import Settings
from services.call_log import CallLog
from stores.calls import LIVE
from stores.repositories import Repositories

MARGIN_S = 15
"""What a carrier's last callback may take beyond its ring timeout."""

ORPHAN_S = 3600
"""An account entry this old without a call belongs to a process that died between the two writes."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """How calls end that are still in one of `statuses` so long after they were made; `uncarried`: without an actor."""

    statuses: tuple[CallStatus, ...]
    age_s: int
    status: CallStatus
    reason: str
    uncarried: bool


def overdue(settings: Settings) -> tuple[Overdue, ...]:
    """The rules, as data."""
    rings_s = settings.ring_timeout_s + MARGIN_S
    waiting = (CallStatus.INITIATED, CallStatus.RINGING)
    return (
        Overdue(waiting, rings_s, CallStatus.NO_ANSWER, "ring-timeout", uncarried=True),
        # Answered, says the carrier, but its media never came, or came and was lost with nobody to end the call.
        Overdue((CallStatus.IN_PROGRESS,), 2 * rings_s, CallStatus.FAILED, "no-media", uncarried=True),
        Overdue(LIVE, rings_s + settings.max_call_s, CallStatus.FAILED, "lost", uncarried=False),
    )


class Sweeper:
    """One `sweep` looks at everything once."""

    def __init__(self, settings: Settings, repositories: Repositories, call_log: CallLog) -> None:
        self._rules = overdue(settings)
        self._stores = repositories
        self._log = call_log

    async def sweep(self, now: datetime) -> int:
        """Close overdue calls and settle what is unsettled; how many calls were closed."""
        closed = 0
        for rule in self._rules:
            before = now - timedelta(seconds=rule.age_s)
            for call in await self._stores.calls.stale(rule.statuses, before, uncarried=rule.uncarried):
                finished = await self._log.finish(
                    call,
                    status=rule.status,
                    reason=rule.reason,
                    now=now,
                    only_from=rule.statuses,
                    uncarried=rule.uncarried,
                )
                closed += finished is not None
        await self._settle_leftovers(now)
        return closed

    async def _settle_leftovers(self, now: datetime) -> None:
        """Entries whose call is over, and old entries without a call."""
        organizations = self._stores.organizations
        for organization in await organizations.with_open_charges():
            known = await self._stores.calls.known(organization.id, organization.charged)
            for call in known.values():
                if call.status.is_final:
                    await self._log.settle(call, now)
            for call_id, charged in organization.charged.items():
                if call_id not in known and now - ObjectId(call_id).generation_time > timedelta(seconds=ORPHAN_S):
                    await organizations.settle(organization.id, Id(call_id), charged, now)
