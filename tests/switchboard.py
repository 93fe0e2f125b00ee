"""The parties on the other side of the services, in process: a carrier and the actors that carry calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.call import Call, CallStatus
from models.document import new_id
from models.errors import Invalid, ProviderError
from providers.roles import CarrierCredentials, IncomingCall, PlaceCall, PlacedCall, StatusUpdate


@dataclass
class Carrier:
    """A carrier with the plainest of wire formats: Telephony."""

    placed: list[tuple[CarrierCredentials, PlaceCall]] = field(default_factory=list)
    refusal: ProviderError | None = None

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        """Dials, or refuses while `refusal` is set."""
        self.placed.append((credentials, request))
        if self.refusal is not None:
            raise self.refusal
        return PlacedCall(carrier_call_id=new_id())

    def parse_incoming(self, body: Mapping[str, object]) -> IncomingCall:
        """CallSid, From, To."""
        try:
            return IncomingCall(str(body["CallSid"]), str(body["From"]), str(body["To"]))
        except KeyError as error:
            raise Invalid(f"Missing {error}") from error

    def parse_status(self, body: Mapping[str, object]) -> StatusUpdate:
        """CallSid, CallStatus, RecordingUrl."""
        if "CallSid" not in body:
            raise Invalid("Missing CallSid")
        status, url = body.get("CallStatus"), body.get("RecordingUrl")
        return StatusUpdate(
            carrier_call_id=str(body["CallSid"]),
            status=None if status is None else CallStatus(str(status)),
            recording_url=None if url is None else str(url),
        )


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
