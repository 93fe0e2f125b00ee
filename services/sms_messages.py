"""Text messages after calls as their owners and the carrier see them."""

from datetime import datetime

from models.errors import Forbidden
from models.sms import SmsMessage, SmsStatus
from providers.roles import SmsUpdate
from services.call_addresses import CallAddresses
from services.principal import Principal
from services.sms_runner import SmsEvents
from stores.repository import Page
from stores.sms_messages import SmsMessages


class SmsMessageService:
    """Reads messages, and takes down what the carrier says of them."""

    def __init__(self, messages: SmsMessages, addresses: CallAddresses, events: SmsEvents) -> None:
        self._messages = messages
        self._addresses = addresses
        self._events = events

    async def page(
        self, principal: Principal, *, call_id: str | None, status: SmsStatus | None, page: int, limit: int
    ) -> Page[SmsMessage]:
        """The organization's messages that match, newest first."""
        return await self._messages.search(
            principal.organization_id, call_id=call_id, status=status, page=page, limit=limit
        )

    async def get(self, principal: Principal, message_id: str) -> SmsMessage:
        """One of the organization's messages; raises NotFound."""
        return await self._messages.get(principal.organization_id, message_id)

    async def report(self, message_id: str, token: str, update: SmsUpdate, now: datetime) -> None:
        """Take down the carrier's word on a message; late and repeated words change nothing.

        Raises Unauthenticated, NotFound, and Forbidden when the carrier's message is another one.
        """
        self._addresses.check_sms(message_id, token)
        message = await self._messages.by_id(message_id)
        if message.carrier_id not in (None, update.carrier_id):
            raise Forbidden("The message is another one")
        if update.status is None:
            return
        error = update.detail if update.status is SmsStatus.UNDELIVERED else None
        moved = await self._messages.forward(message.id, update.status, update.carrier_id, now, error)
        if moved is not None and moved.untold:
            await self._events.sms_sent(moved, now)
