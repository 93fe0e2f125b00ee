"""What carriers report on a call: progress, the end, a recording. Late, repeated and reordered words are normal."""

from datetime import datetime

from models.call import Call, CallStatus, Recording
from models.errors import Conflict, Forbidden, NotFound
from providers.roles import StatusUpdate
from services.call_addresses import CallAddresses, WebhookKey
from services.call_log import CallLog
from services.reservations import Reservations
from stores.calls import Calls, Still

ANOTHERS = "The token belongs to another call"


class CallReports:
    """Applies carriers' words to call logs."""

    def __init__(self, calls: Calls, addresses: CallAddresses, call_log: CallLog, reservations: Reservations) -> None:
        self._calls = calls
        self._addresses = addresses
        self._log = call_log
        self._reservations = reservations

    async def apply(self, key: WebhookKey, update: StatusUpdate, now: datetime) -> None:
        """Keep the recording's first address and move the status, which only ever goes forward.

        A call that an actor carries ends when its media does; the carrier's word closes only a call nobody carries. To
        a call that is over nothing happens any more, but that its recording is made known, once.
        Raises Unauthenticated, NotFound, and Forbidden when the token is not this call's.
        """
        self._addresses.check_webhook(key)
        if key.about == "phone":
            call = await self._of_phone(key.subject, update.carrier_call_id)
        else:
            call = await self._bound(key.subject, update.carrier_call_id, now)
        if call.carrier_call_id is None:
            return  # over before the carrier ever named it, so its word cannot be checked
        if update.recording_url:
            await self._calls.keep_recording(call.id, Recording(url=update.recording_url), now)
        match update.status:
            case CallStatus.RINGING:
                await self._log.ringing(call, now)
            case CallStatus.IN_PROGRESS:
                await self._log.connected(call, now)
            case CallStatus() as status if status.is_final:
                finished = await self._log.finish(
                    call,
                    status=status,
                    reason="carrier",
                    now=now,
                    duration_s=update.duration_s,
                    still=Still(uncarried=True),
                )
                if finished is not None:
                    await self._reservations.free(finished)

    async def _of_phone(self, phone_id: str, carrier_call_id: str) -> Call:
        """The call that came in on the token's phone; those it made have addresses of their own."""
        call = await self._calls.by_carrier(carrier_call_id)
        if call.phone_id != phone_id or call.direction != "inbound":
            raise NotFound("Call not found")
        return call

    async def _bound(self, call_id: str, carrier_call_id: str, now: datetime) -> Call:
        """The call the token is for. A callback may overtake the carrier's answer to our request, so it binds too."""
        call = await self._calls.by_id(call_id)
        if call.carrier_call_id is None and not call.status.is_final:
            call = await self._bind(call, carrier_call_id, now)
        if call.carrier_call_id not in (None, carrier_call_id):
            raise Forbidden(ANOTHERS)
        return call

    async def _bind(self, call: Call, carrier_call_id: str, now: datetime) -> Call:
        try:
            return await self._calls.bind_carrier(call.id, carrier_call_id, now)
        except (Conflict, NotFound) as error:
            # The id is another call's already, or the call was bound to another id this moment.
            raise Forbidden(ANOTHERS) from error
