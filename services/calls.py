"""Placing, receiving, reading and ending calls for tenants. Knows neither Ray nor HTTP."""

import secrets as random
from datetime import datetime
from typing import Any

from models.agent import Agent
from models.call import Call, CallStatus, Direction, SessionId
from models.document import Id, new_id
from models.errors import CallboardError, Conflict, FieldError, Invalid, NoCapacity, NotFound
from models.phone import Phone
from models.settings import Settings
from providers.roles import IncomingCall, PlaceCall, Telephony
from services import carrier_accounts
from services.agent_versions import AgentVersions
from services.call_addresses import CallAddresses, WebhookKey
from services.call_log import CallLog
from services.control import CallControl
from services.credit import Credit
from services.numbers import e164
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
        self._versions = AgentVersions(repositories)
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
    ) -> Call:
        """Dial. The call is stored before the carrier hears of it, so its callbacks always find it; and before that an
        actor is kept for it, so whoever picks up is talked to at once.

        With a `call_id` that was stored before, by an attempt that broke off: that call, and nothing is dialled.

        Raises Invalid (numbers), NotFound (phone, agent), NoCapacity, InsufficientCredits, and ProviderError when the
        carrier refused: the call is then in the log as failed.
        """
        if call_id is not None and (made := await self._made(principal, call_id)) is not None:
            return made
        to_number = e164(to_phone, "toPhone")
        phone = await self._stores.phones.by_number(principal.organization_id, e164(from_phone, "fromPhone"))
        agent = await self._stores.agents.get(principal.organization_id, agent_id)
        if phone.status != "active":
            raise Invalid(fields=[FieldError("fromPhone", "The phone is inactive")])
        call = _new_call(phone, agent, "outbound", from_phone=phone.number, to_phone=to_number, now=now)
        call = await self._with_versions(call)
        who = {"user_id": principal.user_id, "created_by": principal.user_id}
        call = call.model_copy(update={"id": call_id or call.id, "metadata": metadata, **who})
        call = call.model_copy(update={"pool": await self._reservations.to_dial(call.session_id)})
        await self._begin(call, now)
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
        agent = await self._stores.agents.get(phone.organization_id, phone.agent_id)
        call = _new_call(phone, agent, "inbound", from_phone=incoming.from_number, to_phone=phone.number, now=now)
        call = await self._with_versions(call)
        call = call.model_copy(update={"carrier_call_id": incoming.carrier_call_id})
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
            since=since,
            before=before,
            page=page,
            limit=limit,
        )

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

    async def _with_versions(self, call: Call) -> Call:
        """The call with what its agent points at in the configuration, and the exact versions of that."""
        config, versions = await self._versions.resolve(call.organization_id, call.agent_config)
        return call.model_copy(update={"agent_config": config, "versions": versions})

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


def _new_call(
    phone: Phone, agent: Agent, direction: Direction, *, from_phone: str, to_phone: str, now: datetime
) -> Call:
    """A call with its own copy of the agent's configuration, so that an edit never changes a call under way."""
    if not agent.is_active:
        raise Invalid(fields=[FieldError("agentId", "The agent is inactive")])
    return Call(
        id=new_id(),
        created_at=now,
        updated_at=now,
        organization_id=phone.organization_id,
        user_id=phone.user_id,
        session_id=SessionId(f"sess_{random.token_urlsafe(16)}"),
        agent_id=agent.id,
        agent_name=agent.name,
        agent_config=agent.config,
        phone_id=phone.id,
        direction=direction,
        from_phone=from_phone,
        to_phone=to_phone,
    )
