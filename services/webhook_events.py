"""Turns facts into deliveries of webhooks: at once by whoever made the fact, else by the sweep.

Nothing is lost, because nothing is remembered: what a call owes is read off the call, which is marked in the very write
that makes the fact and unmarked when its deliveries are stored. Doing so twice stores nothing twice.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pymongo.errors import PyMongoError

from models.call import Call
from models.document import Id
from models.sms import SmsMessage
from models.webhook import Delivery, Event, WebhookEndpoint
from services import sms_rules, webhook_rules as rules
from services.sms_owed import OwedMessages
from stores.repositories import Repositories

logger = logging.getLogger(__name__)

AT_ONCE = 500
KEPT = timedelta(days=30)


class CallEvents(Protocol):
    """Whoever passes on what happens to calls."""

    async def happened(self, call: Call, now: datetime) -> None:
        """Something has happened to this stored call; raises nothing."""


class LeftToTheSweep:
    """Passes nothing on: the sweep of another process will."""

    async def happened(self, call: Call, now: datetime) -> None:
        """Nothing."""


class WebhookEvents:
    """Every method may be repeated, and run in several processes at once."""

    def __init__(self, repositories: Repositories) -> None:
        self._calls = repositories.calls
        self._endpoints = repositories.webhooks
        self._deliveries = repositories.webhook_deliveries
        self._messages = repositories.sms_messages
        self._owed_messages = OwedMessages(repositories)

    async def happened(self, call: Call, now: datetime) -> None:
        """Store what the call owes, the text message after it as well; should that fail, the sweep does it."""
        try:
            await self._tell(call, await self._endpoints.interested(call.organization_id), now)
        except Exception:  # whatever it was, the call goes on
            logger.warning("the webhooks of a call are stored later", extra={"call_id": call.id}, exc_info=True)

    async def sms_sent(self, message: SmsMessage, now: datetime) -> None:
        """Store what is told of a message that was sent; should that fail, the sweep does it."""
        try:
            await self._tell_sent(message, now)
        except PyMongoError:
            logger.warning("a text message's webhooks are stored later", extra={"sms_id": message.id}, exc_info=True)

    async def publish(self, organization_id: Id, events: Sequence[Event], now: datetime) -> None:
        """Store the deliveries of an organization's events, those of one subject in their order.

        Raises what PyMongo raises; then it is to be called again.
        """
        if not events:
            return
        endpoints = await self._endpoints.interested(organization_id)
        await self._deliveries.add(owed_deliveries(events, endpoints, now))

    async def sweep(self, now: datetime) -> int:
        """Store what marked calls owe; how many there were. Raises what PyMongo raises."""
        untold = await self._calls.untold(AT_ONCE)
        endpoints: dict[Id, list[WebhookEndpoint]] = {}
        for call in untold:
            whose = call.organization_id
            if whose not in endpoints:
                endpoints[whose] = await self._endpoints.interested(whose)
            try:
                await self._tell(call, endpoints[whose], now)
            except PyMongoError:
                raise
            except Exception:  # a fault in what one call owes holds up no other
                logger.exception("what a call owes is not stored", extra={"call_id": call.id})
        return len(untold)

    async def sweep_messages(self, now: datetime) -> int:
        """Store what is to be told of marked messages; how many there were. Raises what PyMongo raises."""
        untold = await self._messages.untold(AT_ONCE)
        for message in untold:
            await self._tell_sent(message, now)
        return len(untold)

    async def forget(self, now: datetime) -> None:
        """Delete deliveries that were finished long ago."""
        await self._deliveries.forget(now - KEPT)

    async def _tell_sent(self, message: SmsMessage, now: datetime) -> None:
        event = sms_rules.sent_event(message)
        await self.publish(message.organization_id, [event] if event else [], now)
        await self._messages.all_told(message)

    async def _tell(self, call: Call, endpoints: Sequence[WebhookEndpoint], now: datetime) -> None:
        await self._owed_messages.store(call, now)
        await self._deliveries.add(owed_deliveries(rules.owed_events(call), endpoints, now))
        await self._calls.all_told(call)


def owed_deliveries(events: Iterable[Event], endpoints: Sequence[WebhookEndpoint], now: datetime) -> list[Delivery]:
    """One for each event and endpoint that subscribes to it and did so when it happened; events in their order."""
    return [
        _delivery(event, endpoint, now)
        for event in events
        if rules.deliverable(event, now)
        for endpoint in endpoints
        if event.type in endpoint.events and endpoint.since <= event.at
    ]


def _delivery(event: Event, endpoint: WebhookEndpoint, now: datetime) -> Delivery:
    return Delivery(
        id=rules.delivery_id(event.id, endpoint.id),
        created_at=now,
        updated_at=now,
        organization_id=event.organization_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        event=event.type,
        subject_id=event.subject_id,
        sequence=event.sequence,
        body=rules.body(event.type, event.at, event.data),
        next_at=now,
    )
