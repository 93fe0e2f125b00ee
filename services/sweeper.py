"""Closes what nobody else will: calls that rang out, calls whose carrier is lost, settlements cut short by a crash.

Where the carrier, or the actor, can be asked what became of a call, its word comes first. Run periodically by one
process or by several, also at once; every step is conditional, so they do not disturb each other.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.call import Call, CallStatus
from models.settings import Settings
from services.call_log import CallLog
from services.control import CallControl
from services.leftovers import Leftovers
from services.reconciler import Doubt, Reconciler
from stores.calls import LIVE, Still
from stores.outage import AWAY
from stores.repositories import Repositories

MARGIN_S = 15
"""What a carrier's last callback may take beyond its ring timeout."""

PATIENCE_S = 300
"""A call that its carrier does not know to be over, or cannot be asked about, is left open for so much longer."""

LOST_S = 25
"""Of a live call that wrote nothing for so long the actor is asked. Ten seconds may have passed between its last word
and the actor's death; an edge that has lost the actor needs as many to find another, and to write so: by now it is gone
as well."""

SILENT_S = 120
"""An actor that has its call and did not write for so long never will."""

ASKED_AT_ONCE = 20

SETTLING_S = 15
"""After an outage of the database all calls look silent. For so long, their actors and edges write what they kept."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """How calls end that are still so."""

    still: Still
    status: CallStatus
    reason: str

    def doubt(self, call: Call) -> Doubt:
        """What to ask the carrier, for a call that it may know more of; the rule's clock says whether it is urgent."""
        latest, clock = self.still.made_before, call.created_at
        if self.still.silent_since is not None:
            latest, clock = self.still.silent_since, call.updated_at
        return Doubt(call, is_patient=latest is not None and clock > latest - timedelta(seconds=PATIENCE_S))


def overdue(settings: Settings, now: datetime) -> tuple[Overdue, ...]:
    """The rules, as data."""
    rings = timedelta(seconds=settings.ring_timeout_s + MARGIN_S)
    waiting, talking = (CallStatus.INITIATED, CallStatus.RINGING), (CallStatus.IN_PROGRESS,)
    return (
        # First, as no carrier need be asked: for it the call may go on.
        Overdue(Still(LIVE, carried=True, silent_since=now - timedelta(seconds=LOST_S)), CallStatus.FAILED, "lost"),
        Overdue(Still(waiting, uncarried=True, made_before=now - rings), CallStatus.NO_ANSWER, "ring-timeout"),
        # Answered, says the carrier, but its media never came, or was lost with nobody to take it up again.
        Overdue(Still(talking, uncarried=True, silent_since=now - rings), CallStatus.FAILED, "no-media"),
    )


class Sweeper:
    """One `sweep` looks at everything once."""

    def __init__(
        self,
        settings: Settings,
        repositories: Repositories,
        call_log: CallLog,
        reconciler: Reconciler,
        leftovers: Leftovers,
        control: CallControl,
    ) -> None:
        self._settings = settings
        self._reconciler = reconciler
        self._stores = repositories
        self._log = call_log
        self._leftovers = leftovers
        self._control = control
        self._trusted_from = datetime.min.replace(tzinfo=UTC)
        """From when on silence means something."""

    async def sweep(self, now: datetime) -> int:
        """Close overdue calls and settle what is unsettled; how many calls were closed without the carrier's word.

        Raises what PyMongo raises when the store cannot be reached.
        """
        try:
            return await self._sweep(now)
        except AWAY:
            self._trusted_from = now + timedelta(seconds=SETTLING_S)
            raise

    async def _sweep(self, now: datetime) -> int:
        closed = 0
        for rule in overdue(self._settings, now):
            for call in await self._unresolved(rule, now):
                finished = await self._log.finish(
                    call, status=rule.status, reason=rule.reason, now=now, still=rule.still
                )
                closed += finished is not None
        await self._leftovers.settle(now)
        await self._stores.idempotency.forget(now - timedelta(seconds=self._settings.idempotency_keep_s))
        return closed

    async def _unresolved(self, rule: Overdue, now: datetime) -> list[Call]:
        """The rule's calls on which nobody has, or will have, anything to say."""
        if rule.still.silent_since is not None and now < self._trusted_from:
            return []
        calls = await self._stores.calls.stale(rule.still)
        if rule.still.carried:
            return await self._abandoned(calls, now)
        return await self._reconciler.resolve([rule.doubt(call) for call in calls], now)

    async def _abandoned(self, calls: Sequence[Call], now: datetime) -> list[Call]:
        """Those whose actor does not have them, or has had nothing to write for too long."""
        turns = asyncio.Semaphore(ASKED_AT_ONCE)
        given_up = now - timedelta(seconds=SILENT_S)

        async def is_abandoned(call: Call) -> bool:
            async with turns:
                return call.updated_at < given_up or not await self._control.carries(call)

        answers = await asyncio.gather(*(is_abandoned(call) for call in calls))
        return [call for call, abandoned in zip(calls, answers, strict=True) if abandoned]
