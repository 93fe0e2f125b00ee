"""Placing, receiving, reading and ending calls for tenants. Knows neither Ray nor HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.call import Call, CallStatus, CampaignCall, Direction, Disposition
from models.document import Id
from models.errors import CallboardError, Conflict, NoCapacity, NotFound
from models.phone import Phone
from models.settings import Settings
from providers.roles import IncomingCall, PlaceCall, Telephony
from services import carrier_accounts
from services.call_addresses import CallAddresses, WebhookKey
from services.call_log import CallLog
from services.control import CallControl
from services.credit import Credit
from services.dispositions import check_word
from services.new_calls import NewCalls, Wanted
from services.principal import Principal
from services.reservations import Reservations, was_turned_away
from stores.calls import Calls, Still
from stores.repositories import Repositories
from stores.repository import Page
from stores.secrets import Secrets

UNCARRIED = Still(uncarried=True)


class CallService:
    """The rules around a call; what happens while people talk is the call actor's."""

    def __init__(
        self,
        settings: Settings,
        repositories: Repositories,
        *,
        secrets: Secrets,
        addresses: CallAddresses,
        call_log: CallLog,
        credit: Credit,
        control: CallControl,
        reservations: Reservations,
        telephony: Telephony,
    ) -> None:
        self._settings = settings
        self._stores = repositories
        self._calls: Calls = repositories.calls
        self._new = NewCalls(repositories)
        self._secrets = secrets
        self._addresses = addresses
        self._log = call_log
        self._credit = credit
        self._control = control
        self._reservations = reservations
        self._telephony = telephony

    # --- beginning ------------------------------------------------------------------------------------
    async def place_outbound(
        self,
        principal: Principal,
        *,
        from_phone: str,
        to_phone: str,
        agent_id: str,
        metadata: dict[str, Any],
        now: datetime,
        call_id: Id | None = None,
        variables: Mapping[str, str] | None = None,
        campaign: CampaignCall | None = None,
    ) -> Call:
        """Dial. The call is stored before the carrier hears of it, so its callbacks always find it; and before that an
        actor is kept for it, so whoever picks up is talked to at once.

        With a `call_id` that another attempt has stored or stores meanwhile: that call, and nothing is dialled.
        `variables` go into the agent's texts; a call of a `campaign` has to have all that they use.

        Raises Invalid (numbers, variables), DoNotCall, NotFound (phone, agent), NoCapacity, InsufficientCredits,
        Unavailable, and ProviderError when the carrier refused: the call is then in the log as failed.
        """
        if call_id is not None and (made := await self._made(principal, call_id)) is not None:
            return made
        wanted = Wanted(from_phone, to_phone, agent_id, metadata, variables, campaign)
        call, phone = await self._new.outbound(principal, wanted, now, call_id)
        call = call.model_copy(update={"pool": await self._reservations.to_dial(call.session_id)})
        try:
            await self._begin(call, now)
        except Conflict:
            # Another attempt with this id was faster.
            if (made := await self._made(principal, call.id)) is None:
                raise
            return made
        return await self._dial(call, phone, now)

    async def receive_incoming(self, key: WebhookKey, incoming: IncomingCall, now: datetime) -> Call:
        """Log a call that rings one of our numbers; the same carrier call id again gives the same call.

        The call is over already, as busy, when there is no room for it, and then the carrier is to refuse it. Raises
        Unauthenticated, NotFound (phone, its agent), Conflict (nobody is to answer) and InsufficientCredits.
        """
        self._addresses.check_webhook(key)
        phone = await self._stores.phones.by_id(key.subject)
        known = await self._of_carrier(phone, incoming.carrier_call_id)
        if known is not None:
            return known
        if phone.agent_id is None or phone.status != "active":
            raise Conflict("No agent answers this phone number")
        call = await self._new.inbound(phone, phone.agent_id, incoming, now)
        try:
            return await self._taken_on(call, now)
        except Conflict:
            # The same announcement, twice at once: the other one stored it.
            known = await self._of_carrier(phone, incoming.carrier_call_id)
            if known is None:
                raise
            return known

    def media_url(self, call: Call) -> str:
        """Where the carrier connects the call's audio."""
        return self._addresses.media(call.session_id)

    # --- reading --------------------------------------------------------------------------------------
    async def get(self, principal: Principal, call_id: str) -> Call:
        """One call with everything; raises NotFound."""
        return await self._calls.get(principal.organization_id, call_id)

    async def by_session(self, principal: Principal, session_id: str) -> Call:
        """The same by its session; raises NotFound, also for other people's calls."""
        return await self._calls.by_session(principal.organization_id, session_id)

    async def page(
        self,
        principal: Principal,
        *,
        status: CallStatus | None = None,
        direction: Direction | None = None,
        agent_id: str | None = None,
        campaign_id: str | None = None,
        disposition: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        page: int = 1,
        limit: int = 20,
    ) -> Page[Call]:
        """The organization's calls that match, newest first, without their turns."""
        return await self._calls.search(
            principal.organization_id,
            status=status,
            direction=direction,
            agent_id=agent_id,
            campaign_id=campaign_id,
            disposition=disposition,
            since=since,
            before=before,
            page=page,
            limit=limit,
        )

    # --- what it came to --------------------------------------------------------------------------------
    async def set_disposition(
        self, principal: Principal, call_id: str, *, name: str | None, notes: str, now: datetime
    ) -> Call:
        """Say what a call came to, while it goes on or at any time after; None takes the word away.

        It stands, whatever the agent says later. Raises NotFound, and Invalid for a word the call's agent has not.
        """
        call = await self.get(principal, call_id)
        word = None
        if name is not None:
            check_word(call, name)
            word = Disposition(name=name, notes=notes, at=now, by=principal.user_id)
        return await self._log.dispose(call, word, now)

    # --- ending ---------------------------------------------------------------------------------------
    async def end(self, principal: Principal, session_id: str, reason: str, now: datetime) -> None:
        """End a call: its actor is asked to, or, with none attached, the log is closed.

        Raises NotFound, and Conflict when the call is over already.
        """
        call = await self.by_session(principal, session_id)
        if call.lease is None:
            status = CallStatus.COMPLETED if call.status is CallStatus.IN_PROGRESS else CallStatus.CANCELED
            finished = await self._log.finish(call, status=status, reason=reason, now=now, still=UNCARRIED)
            if finished is not None:
                await self._reservations.free(finished)
                return
            call = await self.by_session(principal, session_id)
        if call.status.is_final:
            raise Conflict("Call is already over")
        if not await self._control.end(call, reason):
            await self._log.finish(call, status=CallStatus.COMPLETED, reason=reason, now=now)

    # --- inside -----------------------------------------------------------------------------------------
    async def _taken_on(self, call: Call, now: datetime) -> Call:
        """The inbound call in the log: begun, or turned away. Raises Conflict when it is there already."""
        try:
            pool = await self._reservations.to_answer(call.session_id)
        except NoCapacity:
            return await self._reservations.turn_away(call, now)
        call = call.model_copy(update={"pool": pool})
        await self._begin(call, now)
        return call

    async def _begin(self, call: Call, now: datetime) -> None:
        """Set credit aside, then store, then tell: no call is ever stored that nobody can pay.

        Should the call come to nothing here, the room kept for it is free again.
        """
        try:
            await self._credit.hold(call.organization_id, call.id, now)
            await self._store(call, now)
        except BaseException:
            await self._reservations.free(call)
            raise
        await self._log.started(call, now)

    async def _store(self, call: Call, now: datetime) -> None:
        try:
            await self._calls.insert(call)
        except Conflict:
            if not await self._calls.by_ids([call.id]):  # else the credit is set aside for the call that is there
                await self._credit.close(call.organization_id, call.id, 0, now)
            raise

    async def _dial(self, call: Call, phone: Phone, now: datetime) -> Call:
        request = PlaceCall(
            from_number=call.from_phone,
            to_number=call.to_phone,
            media_url=self._addresses.media(call.session_id),
            status_url=self._addresses.status(call.id),
            ring_timeout_s=self._settings.ring_timeout_s,
            time_limit_s=self._settings.max_call_s,
        )
        try:
            placed = await self._telephony.place_call(carrier_accounts.opened(phone.carrier, self._secrets), request)
        except CallboardError:
            await self._reservations.free(call)
            await self._log.finish(call, status=CallStatus.FAILED, reason="carrier-refused", now=now)
            raise
        return await self._calls.bind_carrier(call.id, placed.carrier_call_id, now)

    async def _made(self, principal: Principal, call_id: Id) -> Call | None:
        try:
            return await self.get(principal, call_id)
        except NotFound:
            return None

    async def _of_carrier(self, phone: Phone, carrier_call_id: str) -> Call | None:
        """The call of this carrier id that rings or rang the phone; any other is none of its business.

        Raises Conflict when it was let in and is over: an old announcement must not open its media again.
        """
        try:
            call = await self._calls.by_carrier(carrier_call_id)
        except NotFound:
            return None
        if call.phone_id != phone.id or call.direction != "inbound":
            return None
        if call.status.is_final and not was_turned_away(call):
            raise Conflict("Call is over")
        return call
