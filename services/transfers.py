"""Whom the carrier is to connect a caller to, once the agent has left the call."""

from dataclasses import dataclass

from models.errors import NotFound
from services.call_addresses import CallAddresses, WebhookKey
from stores.repositories import Repositories


@dataclass(frozen=True, slots=True)
class Transfer:
    """Numbers are E.164; `to_number` is None when nobody is to be dialled. `from_number` is our own."""

    to_number: str | None
    from_number: str


class Transfers:
    """Reads what `CallLog.save_transfer` wrote."""

    def __init__(self, repositories: Repositories, addresses: CallAddresses) -> None:
        self._calls = repositories.calls
        self._phones = repositories.phones
        self._addresses = addresses

    async def of_call(self, key: WebhookKey, carrier_call_id: str) -> Transfer:
        """The transfer of the call that the carrier calls so; nobody for one it should not ask this phone about.

        Raises Unauthenticated for another's token and NotFound for a phone that is gone.
        """
        self._addresses.check_webhook(key)
        if key.about != "phone":
            raise NotFound("Phone not found")
        phone = await self._phones.by_id(key.subject)
        try:
            call = await self._calls.by_carrier(carrier_call_id)
        except NotFound:
            return Transfer(None, phone.number)
        return Transfer(call.transfer_to if call.phone_id == phone.id else None, phone.number)
