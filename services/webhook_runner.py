"""Delivers webhooks: claims what is due, sends it, writes down what came of it. Several may run at once, anywhere.

At least once: who dies while sending leaves its claim to lapse, and the delivery is made again.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import assert_never

from models.audit import AuditRecord
from models.document import Id, new_id
from models.webhook import Attempt, Delivery, WebhookEndpoint
from services import meters
from services.claim_runner import ClaimRunner
from services.webhook_rules import GIVEN_UP, Again, Dead, Taken, is_given_up, verdict
from services.webhook_sending import WebhookSending
from stores.repositories import Repositories

logger = logging.getLogger(__name__)

AT_ONCE = 32
PER_ENDPOINT = 4
LEASE = timedelta(seconds=30)
"""Sending takes a third of it at most."""
LOOK_AGAIN = timedelta(seconds=1)
"""At one that waits for another, at the soonest, should nobody set it free."""


class WebhookRunner(ClaimRunner[Delivery]):
    """Its owners are endpoints. What `aclose` breaks off is made again, here or elsewhere. `now` is the clock."""

    noun = "webhook's delivery"

    def __init__(
        self,
        repositories: Repositories,
        sending: WebhookSending,
        now: Callable[[], datetime],
        *,
        at_once: int = AT_ONCE,
        per_owner: int = PER_ENDPOINT,
    ) -> None:
        super().__init__(at_once=at_once, per_owner=per_owner)
        self._deliveries = repositories.webhook_deliveries
        self._endpoints = repositories.webhooks
        self._audit = repositories.audit
        self._sending = sending
        self._now = now

    async def waiting(self) -> int:
        """How many deliveries wait, here or elsewhere."""
        return await self._deliveries.waiting()

    async def _claim(self, unless: Collection[Id]) -> Delivery | None:
        return await self._deliveries.claim(self._now(), LEASE, unless=unless)

    def _owner(self, delivery: Delivery) -> Id:
        return delivery.endpoint_id

    async def _do(self, delivery: Delivery) -> None:
        if await self._must_wait(delivery):
            return
        endpoint = await self._endpoints.by_id(delivery.endpoint_id)
        if endpoint is None or not endpoint.is_active:
            await self._deliveries.finish(delivery, "dead", self._now(), error="The webhook is switched off")
            meters.count("webhook_deliveries_total", outcome="off")
            return
        attempt, headers = await self._sending.attempt(
            endpoint, event=delivery.event, event_id=delivery.event_id, body=delivery.body, now=self._now()
        )
        await self._conclude(endpoint, delivery, attempt, headers)

    async def _must_wait(self, delivery: Delivery) -> bool:
        """Whether another is to be told before it; whoever finishes that one sets this one free."""
        ahead = await self._deliveries.ahead_of(delivery)
        if ahead is None:
            return False
        await self._deliveries.put_off(delivery, max(ahead.next_at, self._now() + LOOK_AGAIN))
        if await self._deliveries.ahead_of(delivery) is None:  # it was finished just before this one began to wait
            await self._deliveries.put_off(delivery, self._now())
        return True

    async def _conclude(
        self, endpoint: WebhookEndpoint, delivery: Delivery, attempt: Attempt, headers: dict[str, str]
    ) -> None:
        """Write down what follows from an attempt."""
        now = self._now()
        match verdict(attempt, delivery.tries + 1):
            case Taken():
                await self._endpoints.note_success(endpoint)
                await self._deliveries.finish(delivery, "delivered", now, attempt=attempt, headers=headers)
                meters.count("webhook_deliveries_total", outcome="delivered")
            case Again(delay_s):
                await self._endpoints.note_failure(endpoint, now)
                until = now + timedelta(seconds=delay_s)
                await self._deliveries.retry(delivery, attempt, headers, until)
                meters.count("webhook_deliveries_total", outcome="failed")
            case Dead(reason):
                await self._endpoints.note_failure(endpoint, now)
                await self._give_up(endpoint, now)  # first: finishing this one sets those free that wait for it
                await self._deliveries.finish(delivery, "dead", now, attempt=attempt, headers=headers, error=reason)
                meters.count("webhook_deliveries_total", outcome="dead")
            case other:
                assert_never(other)

    async def _give_up(self, endpoint: WebhookEndpoint, now: datetime) -> None:
        """Switch an endpoint off that nothing has reached for too long, and say so in the audit log."""
        if not is_given_up(endpoint.failing_since, now):
            return
        off = await self._endpoints.give_up(endpoint.id, now, GIVEN_UP)
        if off is None:
            return
        logger.warning("a webhook is switched off", extra={"endpoint_id": endpoint.id})
        await self._audit.insert(
            AuditRecord(
                id=new_id(),
                created_at=now,
                updated_at=now,
                organization_id=off.organization_id,
                user_id=off.user_id,
                action="webhook.disable",
                subject="webhook",
                subject_id=off.id,
                details={"automatic": True, "failingSince": off.failing_since},
            )
        )
