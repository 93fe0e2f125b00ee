"""Asks carriers about calls whose last callback never came, before the sweeper closes them on its own word."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.call import Call, CallStatus, Recording
from models.document import Id
from models.errors import CallboardError, ProviderError
from models.settings import Settings
from providers.roles import StatusUpdate, Telephony
from services import carrier_accounts
from services.call_log import CallLog
from stores.calls import Still
from stores.repositories import Repositories
from stores.secrets import Secrets

AGAIN_S = 30
"""The same call is asked about at most so often."""
INQUIRIES = 15
"""A round asks about so many calls: 180 a minute, of the 200 requests a minute that Exotel allows an account."""
AT_ONCE = 5

UNCARRIED = Still(uncarried=True)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A call that looks over; `is_patient`: there is time to ask again, should the carrier not say that it is."""

    call: Call
    is_patient: bool


class Reconciler:
    """One `resolve` asks about each call once. A call that an actor carries is left alone: its media tells the end."""

    def __init__(
        self,
        settings: Settings,
        repositories: Repositories,
        *,
        secrets: Secrets,
        call_log: CallLog,
        telephony: Telephony,
    ) -> None:
        self._timeout_s = settings.carrier_timeout_s
        self._calls = repositories.calls
        self._phones = repositories.phones
        self._secrets = secrets
        self._log = call_log
        self._telephony = telephony

    async def resolve(self, doubts: Sequence[Doubt], now: datetime) -> list[Call]:
        """Close the calls that the carrier knows to be over, in its words; those to be closed without them.

        The others wait for a later round: those not over yet, those the carrier could not be asked about while there is
        patience, and those whose turn to be asked has not come.
        """
        turns = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._ask(doubt, turns, now)) for doubt in to_ask(doubts, now)]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        unheard = {call_id for call_id in (task.result() for task in asked) if call_id is not None}
        return [doubt.call for doubt in doubts if doubt.call.id in unheard or is_hopeless(doubt)]

    async def _ask(self, doubt: Doubt, turns: asyncio.Semaphore, now: datetime) -> Id | None:
        """The call's id when there is nothing to hope from the carrier."""
        call = doubt.call
        async with turns:
            if not await self._calls.begin_inquiry(call.id, now, unless_since=now - timedelta(seconds=AGAIN_S)):
                return None
            try:
                said = await self._said(call)
            except (ProviderError, TimeoutError):
                return None if doubt.is_patient else call.id
            except CallboardError:  # the phone was deleted, or its account cannot be used any more
                return call.id
        if said is None:
            return call.id
        if said.status is None or not said.status.is_final:
            return None if doubt.is_patient else call.id
        await self._close(call, said.status, said, now)
        return None

    async def _said(self, call: Call) -> StatusUpdate | None:
        """What the carrier of the call's phone says; raises CallboardError."""
        phone = await self._phones.by_id(call.phone_id)
        credentials = carrier_accounts.opened(phone.carrier, self._secrets)
        async with asyncio.timeout(self._timeout_s):
            return await self._telephony.fetch_call(credentials, call.carrier_call_id or "")

    async def _close(self, call: Call, status: CallStatus, said: StatusUpdate, now: datetime) -> None:
        recording = Recording(url=said.recording_url) if said.recording_url else None
        await self._log.finish(
            call,
            status=status,
            reason="carrier",
            now=now,
            recording=recording,
            duration_s=said.duration_s,
            still=UNCARRIED,
        )


def to_ask(doubts: Sequence[Doubt], now: datetime) -> list[Doubt]:
    """Whose turn it is: those that were never asked about come first."""
    latest = now - timedelta(seconds=AGAIN_S)
    due = [doubt for doubt in doubts if not is_hopeless(doubt) and _asked_at(doubt) <= latest]
    return sorted(due, key=_asked_at)[:INQUIRIES]


def is_hopeless(doubt: Doubt) -> bool:
    """Nobody can be asked, or has been in vain for long enough. Every call is asked about once, however late."""
    return doubt.call.carrier_call_id is None or not (doubt.is_patient or doubt.call.reconciled_at is None)


def _asked_at(doubt: Doubt) -> datetime:
    return doubt.call.reconciled_at or datetime.min.replace(tzinfo=UTC)
