"""The parties on the other side of the services, in process: a carrier and the actors that carry calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.call import Call
from models.document import new_id
from models.errors import ProviderError
from providers.roles import CarrierCredentials, IncomingCall, PlaceCall, PlacedCall, StatusUpdate
from providers.telephony.exotel import webhooks


@dataclass
class Carrier:
    """A carrier that takes every call it is asked to place: Telephony."""

    placed: list[tuple[CarrierCredentials, PlaceCall]] = field(default_factory=list)
    refusal: ProviderError | None = None

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        """Dials, or refuses while `refusal` is set."""
        self.placed.append((credentials, request))
        if self.refusal is not None:
            raise self.refusal
        return PlacedCall(carrier_call_id=new_id())

    def parse_incoming(self, body: Mapping[str, object]) -> IncomingCall:
        """As Exotel writes it."""
        return webhooks.parse_incoming(body)

    def parse_status(self, body: Mapping[str, object]) -> StatusUpdate:
        """As Exotel writes it."""
        return webhooks.parse_status(body)


@dataclass
class Actors:
    """The call actors by name: CallControl. Those not in `alive` are gone."""

    alive: set[str] = field(default_factory=set)
    ended: list[tuple[str, str]] = field(default_factory=list)

    async def end(self, call: Call, reason: str) -> bool:
        """Whether the call's actor was there to hear it."""
        if call.lease is None or call.lease.actor not in self.alive:
            return False
        self.ended.append((call.session_id, reason))
        return True
