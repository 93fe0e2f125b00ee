"""The parties on the other side of the services, in process: a carrier and the actors that carry calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.call import Call, SessionId
from models.document import new_id
from models.errors import Invalid, NoCapacity, ProviderError
from providers.roles import (
    CarrierCredentials,
    IncomingCall,
    PlaceCall,
    PlacedCall,
    SendSms,
    SentSms,
    SmsUpdate,
    StatusUpdate,
)
from providers.telephony.exotel import webhooks


@dataclass
class Carrier:
    """A carrier that takes every call it is asked to place: Telephony."""

    placed: list[tuple[CarrierCredentials, PlaceCall]] = field(default_factory=list)
    refusal: ProviderError | None = None
    checked: list[CarrierCredentials] = field(default_factory=list)
    account_problem: Invalid | ProviderError | None = None
    known: dict[str, StatusUpdate] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    outage: ProviderError | None = None
    messages: list[tuple[CarrierCredentials, SendSms]] = field(default_factory=list)

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        """Dials, or refuses while `refusal` is set."""
        self.placed.append((credentials, request))
        if self.refusal is not None:
            raise self.refusal
        return PlacedCall(carrier_call_id=new_id())

    async def send_sms(self, credentials: CarrierCredentials, sms: SendSms) -> SentSms:
        """Sends, or refuses while `refusal` is set."""
        self.messages.append((credentials, sms))
        if self.refusal is not None:
            raise self.refusal
        return SentSms(f"sms-{len(self.messages)}")

    async def check_account(self, credentials: CarrierCredentials) -> None:
        """Accepts every account, or none while `account_problem` is set."""
        self.checked.append(credentials)
        if self.account_problem is not None:
            raise self.account_problem

    async def fetch_call(self, credentials: CarrierCredentials, carrier_call_id: str) -> StatusUpdate | None:
        """What `known` has of the call; fails while `outage` is set."""
        self.asked.append(carrier_call_id)
        if self.outage is not None:
            raise self.outage
        return self.known.get(carrier_call_id)

    def parse_incoming(self, body: Mapping[str, object]) -> IncomingCall:
        """As Exotel writes it."""
        return webhooks.parse_incoming(body)

    def parse_status(self, body: Mapping[str, object]) -> StatusUpdate:
        """As Exotel writes it."""
        return webhooks.parse_status(body)

    def parse_sms(self, body: Mapping[str, object]) -> SmsUpdate:
        """As Exotel writes it."""
        return webhooks.parse_sms(body)


@dataclass(frozen=True)
class Asked:
    """Room that was asked for."""

    session_id: SessionId
    for_s: float
    patience_s: float


@dataclass
class Actors:
    """The call actors by name: `services.control.Actors`. Those not in `alive` are gone."""

    alive: set[str] = field(default_factory=set)
    ended: list[tuple[str, str]] = field(default_factory=list)
    room: int = 1_000
    """How many calls more there is room for."""
    asked: list[Asked] = field(default_factory=list)
    reserved: set[str] = field(default_factory=set)
    cancelled: list[str] = field(default_factory=list)

    async def end(self, call: Call, reason: str) -> bool:
        """Whether the call's actor was there to hear it."""
        if call.lease is None or call.lease.actor not in self.alive:
            return False
        self.ended.append((call.session_id, reason))
        return True

    async def carries(self, call: Call) -> bool:
        """Whether the call's actor lives."""
        return call.lease is not None and call.lease.actor in self.alive

    async def reserve(self, session_id: SessionId, *, for_s: float, patience_s: float = 0.0) -> str:
        """Room for one call more, or NoCapacity."""
        self.asked.append(Asked(session_id, for_s, patience_s))
        if len(self.reserved) >= self.room:
            raise NoCapacity("Every line is busy")
        self.reserved.add(session_id)
        return "call_pool:here"

    async def cancel(self, pool: str, session_id: SessionId) -> None:
        """The room is free again."""
        self.reserved.discard(session_id)
        self.cancelled.append(session_id)

    async def check(self) -> None:
        """Always there."""
