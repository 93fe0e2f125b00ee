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
from stores.calls import Still
from stores.repositories import Repositories

MARGIN_S = 15
"""What a carrier's last callback may take beyond its ring timeout."""

SILENT_S = 120
"""A live call writes its usage every ten seconds; one that did not for so long has nobody to end it."""

ORPHAN_S = 3600
"""An account entry this old without a call belongs to a process that died between the two writes."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """How calls end that are still so."""

    still: Still
    status: CallStatus
    reason: str


def overdue(settings: Settings, now: datetime) -> tuple[Overdue, ...]:
    """The rules, as data."""
    rings = timedelta(seconds=settings.ring_timeout_s + MARGIN_S)
    silent = now - timedelta(seconds=SILENT_S)
    waiting, talking = (CallStatus.INITIATED, CallStatus.RINGING), (CallStatus.IN_PROGRESS,)
    return (
        Overdue(Still(waiting, made_before=now - rings), CallStatus.NO_ANSWER, "ring-timeout"),
        # Answered, says the carrier, but its media never came, or was lost with nobody to take it up again.
        Overdue(Still(talking, uncarried=True, silent_since=now - rings), CallStatus.FAILED, "no-media"),
        Overdue(Still(talking, silent_since=silent), CallStatus.FAILED, "lost"),
    )


class Sweeper:
    """One `sweep` looks at everything once."""

    def __init__(self, settings: Settings, repositories: Repositories, call_log: CallLog) -> None:
        self._settings = settings
        self._stores = repositories
        self._log = call_log

    async def sweep(self, now: datetime) -> int:
        """Close overdue calls and settle what is unsettled; how many calls were closed."""
        closed = 0
        for rule in overdue(self._settings, now):
            for call in await self._stores.calls.stale(rule.still):
                finished = await self._log.finish(
                    call, status=rule.status, reason=rule.reason, now=now, still=rule.still
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
