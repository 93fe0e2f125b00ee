"""Closes what nobody else will: calls that rang out, calls whose carrier is lost, settlements cut short by a crash.

Where the carrier can be asked what became of a call, its word comes first. Run periodically by one process or by
several; every step is conditional, so they do not disturb each other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.call import Call, CallStatus
from models.settings import Settings
from services.call_log import CallLog
from services.control import CallControl
from services.leftovers import Leftovers
from services.reconciler import Doubt, Reconciler
from stores.calls import LIVE, Still
from stores.repositories import Repositories

MARGIN_S = 15
"""What a carrier's last callback may take beyond its ring timeout."""

PATIENCE_S = 300
"""A call that its carrier does not know to be over, or cannot be asked about, is left open for so much longer."""

SILENT_S = 120
"""A live call writes its usage every ten seconds; one that did not for so long has nobody to end it."""


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
    silent = now - timedelta(seconds=SILENT_S)
    waiting, talking = (CallStatus.INITIATED, CallStatus.RINGING), (CallStatus.IN_PROGRESS,)
    return (
        Overdue(Still(waiting, uncarried=True, made_before=now - rings), CallStatus.NO_ANSWER, "ring-timeout"),
        # Answered, says the carrier, but its media never came, or was lost with nobody to take it up again.
        Overdue(Still(talking, uncarried=True, silent_since=now - rings), CallStatus.FAILED, "no-media"),
        # An actor has it and would have written. The carrier cannot tell: for it the call may go on.
        Overdue(Still(LIVE, carried=True, silent_since=silent), CallStatus.FAILED, "lost"),
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

    async def sweep(self, now: datetime) -> int:
        """Close overdue calls and settle what is unsettled; how many calls were closed without the carrier's word."""
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
        """The rule's calls on which no carrier has, or will have, anything to say."""
        calls = await self._stores.calls.stale(rule.still)
        if rule.still.carried:
            return calls
        return await self._reconciler.resolve([rule.doubt(call) for call in calls], now)
