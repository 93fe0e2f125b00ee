"""Webhooks of an organization: whom it has told of which events, what came of it, and once more."""

import secrets as random
from dataclasses import dataclass
from datetime import datetime

from models.document import new_id
from models.errors import Conflict, FieldError, Invalid
from models.webhook import TEST, Attempt, Delivery, DeliveryStatus, EventType, WebhookEndpoint
from providers.tools.addresses import AddressGuard
from services.audit import AuditService
from services.principal import Principal
from services.webhook_rules import body_of_test
from services.webhook_sending import WebhookSending
from stores.repositories import Repositories
from stores.repository import Page
from stores.secrets import Secrets
from stores.webhooks import MOST

MARK = "whsec_"


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of an endpoint; None: nothing."""

    name: str | None = None
    url: str | None = None
    events: tuple[EventType, ...] | None = None
    secret: str | None = None
    is_active: bool | None = None


class WebhookService:
    """The rules around endpoints. Every method raises NotFound for an endpoint of another organization."""

    def __init__(
        self,
        repositories: Repositories,
        audit: AuditService,
        *,
        secrets: Secrets,
        guard: AddressGuard,
        sending: WebhookSending,
    ) -> None:
        self._endpoints = repositories.webhooks
        self._deliveries = repositories.webhook_deliveries
        self._audit = audit
        self._secrets = secrets
        self._guard = guard
        self._sending = sending

    async def create(
        self,
        principal: Principal,
        *,
        name: str,
        url: str,
        events: tuple[EventType, ...],
        secret: str | None,
        is_active: bool,
        now: datetime,
    ) -> tuple[WebhookEndpoint, str]:
        """A new endpoint, and its secret, made up where none is given: nobody can read it out again.

        It is told of what happens from now on. Raises Invalid, and Conflict when there are too many.
        """
        self._check(url)
        if (await self._endpoints.listed(principal.organization_id, page=1, limit=1)).total >= MOST:
            raise Conflict(f"An organization has {MOST} webhooks at most")
        opened = secret or MARK + random.token_urlsafe(32)
        endpoint = WebhookEndpoint(
            id=new_id(),
            **principal.signature(now),
            user_id=principal.user_id,
            name=name,
            url=url,
            events=_once_each(events),
            encrypted_secret=self._secrets.seal(opened),
            is_active=is_active,
            since=now,
        )
        await self._endpoints.insert(endpoint)
        await self._audit.record(principal, "create", "webhook", endpoint.id, now, events=list(endpoint.events))
        return endpoint, opened

    async def page(self, principal: Principal, *, page: int, limit: int) -> Page[WebhookEndpoint]:
        """The organization's endpoints, newest first."""
        return await self._endpoints.listed(principal.organization_id, page=page, limit=limit)

    async def get(self, principal: Principal, endpoint_id: str) -> WebhookEndpoint:
        """One endpoint."""
        return await self._endpoints.get(principal.organization_id, endpoint_id)

    async def update(self, principal: Principal, endpoint_id: str, change: Change, now: datetime) -> WebhookEndpoint:
        """Change what is given; raises Invalid. Who switches an endpoint on, or subscribes to more, is told of what
        happens from then on."""
        endpoint = await self._endpoints.get(principal.organization_id, endpoint_id)
        fields: dict[str, object] = {} if change.name is None else {"name": change.name}
        if change.url is not None:
            self._check(change.url)
            fields["url"] = change.url
        if change.events is not None:
            fields["events"] = list(_once_each(change.events))
        if change.secret is not None:
            fields["encryptedSecret"] = self._secrets.seal(change.secret)
        if change.is_active is not None:
            fields["isActive"] = change.is_active
        is_more = not set(change.events or ()) <= set(endpoint.events)
        is_on_again = change.is_active is True and not endpoint.is_active
        if is_more or is_on_again:
            fields["since"] = now
        if is_on_again:
            fields |= {"failingSince": None, "disabledAt": None}
        changed = await self._endpoints.change(principal.organization_id, endpoint.id, fields, now, principal.user_id)
        await self._audit.record(principal, "update", "webhook", endpoint.id, now, fields=sorted(fields))
        return changed

    async def delete(self, principal: Principal, endpoint_id: str, now: datetime) -> None:
        """Remove an endpoint; what was still to be delivered to it is not."""
        endpoint = await self._endpoints.get(principal.organization_id, endpoint_id)
        await self._endpoints.delete(principal.organization_id, endpoint.id, now, principal.user_id)
        await self._audit.record(principal, "delete", "webhook", endpoint.id, now)

    async def test(self, principal: Principal, endpoint_id: str, now: datetime) -> Attempt:
        """Send a test event, now and once, also to one that is switched off; it is in the log."""
        endpoint = await self._endpoints.get(principal.organization_id, endpoint_id)
        body, delivery_id = body_of_test(endpoint.id, now), new_id()
        event_id = f"{delivery_id}.{TEST}"
        attempt, headers = await self._sending.attempt(endpoint, event=TEST, event_id=event_id, body=body, now=now)
        await self._deliveries.insert(
            Delivery(
                id=delivery_id,
                **principal.signature(now),
                endpoint_id=endpoint.id,
                event_id=event_id,
                event=TEST,
                subject_id=endpoint.id,
                sequence=0,
                body=body,
                status="delivered" if attempt.is_success else "dead",
                next_at=now,
                tries=1,
                attempts=[attempt],
                request_headers=headers,
                finished_at=now,
            )
        )
        return attempt

    async def log(
        self,
        principal: Principal,
        endpoint_id: str,
        *,
        status: DeliveryStatus | None,
        event: str | None,
        page: int,
        limit: int,
    ) -> Page[Delivery]:
        """What was, and is to be, delivered to an endpoint, newest first."""
        endpoint = await self._endpoints.get(principal.organization_id, endpoint_id)
        return await self._deliveries.log(
            principal.organization_id, endpoint.id, status=status, event=event, page=page, limit=limit
        )

    async def replay(self, principal: Principal, endpoint_id: str, delivery_id: str, now: datetime) -> Delivery:
        """Deliver once more, whatever came of it; raises Conflict while it is under way or the endpoint is off."""
        endpoint = await self._switched_on(principal, endpoint_id)
        delivery = await self._deliveries.replay(principal.organization_id, endpoint.id, delivery_id, now)
        if delivery is None:
            raise Conflict("The delivery is under way")
        await self._audit.record(principal, "replay", "webhook", endpoint.id, now, delivery=delivery.id)
        return delivery

    async def replay_dead(self, principal: Principal, endpoint_id: str, now: datetime) -> int:
        """Deliver once more all that failed for good; how many. Raises Conflict while the endpoint is off."""
        endpoint = await self._switched_on(principal, endpoint_id)
        count = await self._deliveries.replay_dead(principal.organization_id, endpoint.id, now)
        await self._audit.record(principal, "replay", "webhook", endpoint.id, now, count=count)
        return count

    async def _switched_on(self, principal: Principal, endpoint_id: str) -> WebhookEndpoint:
        endpoint = await self._endpoints.get(principal.organization_id, endpoint_id)
        if not endpoint.is_active:
            raise Conflict("The webhook is switched off")
        return endpoint

    def _check(self, url: str) -> None:
        try:
            self._guard.check_url(url)
        except Invalid as error:
            raise Invalid(fields=[FieldError("url", f"Url {error.message}")]) from error


def _once_each(events: tuple[EventType, ...]) -> tuple[EventType, ...]:
    return tuple(dict.fromkeys(events))
