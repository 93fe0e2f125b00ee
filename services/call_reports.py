"""What carriers report on a call: progress, the end, a recording. Late, repeated and reordered words are normal."""

from datetime import datetime

from models.call import Call, CallStatus, Recording
from models.errors import Forbidden, NotFound
from providers.roles import StatusUpdate
from services.call_addresses import CallAddresses, WebhookKey
from services.call_log import CallLog
from stores.calls import Calls, Still


class CallReports:
    """Applies carriers' words to call logs."""

    def __init__(self, calls: Calls, addresses: CallAddresses, call_log: CallLog) -> None:
        self._calls = calls
        self._addresses = addresses
        self._log = call_log

    async def apply(self, key: WebhookKey, update: StatusUpdate, now: datetime) -> None:
        """Keep the recording's address and move the status, which only ever goes forward.

        A call that an actor carries ends when its media does; the carrier's word closes only a call nobody carries.
        Raises Unauthenticated, NotFound, and Forbidden when the token is not this call's.
        """
        self._addresses.check_webhook(key)
        call = await self._bound(key, update.carrier_call_id, now)
        if update.recording_url:
            await self._calls.keep_recording(call.id, Recording(url=update.recording_url), now)
        match update.status:
            case CallStatus.RINGING:
                await self._log.ringing(call, now)
            case CallStatus.IN_PROGRESS:
                await self._log.connected(call, now)
            case CallStatus() as status if status.is_final:
                await self._log.finish(
                    call,
                    status=status,
                    reason="carrier",
                    now=now,
                    duration_s=update.duration_s,
                    still=Still(uncarried=True),
                )

    async def _bound(self, key: WebhookKey, carrier_call_id: str, now: datetime) -> Call:
        """The call the token is for. A callback may overtake the carrier's answer to our request, so it binds too."""
        if key.about == "phone":
            call = await self._calls.by_carrier(carrier_call_id)
            if call.phone_id != key.subject:
                raise NotFound("Call not found")
            return call
        call = await self._calls.by_id(key.subject)
        if call.carrier_call_id is None:
            return await self._calls.bind_carrier(call.id, carrier_call_id, now)
        if call.carrier_call_id != carrier_call_id:
            raise Forbidden("The token belongs to another call")
        return call
