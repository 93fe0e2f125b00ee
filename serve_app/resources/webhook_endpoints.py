"""/webhook-endpoints: addresses of the customer's that are told of events. (/webhooks is where carriers tell us.)"""

import json
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import ConfigDict, Field, Secret

from models.document import Model, Time
from models.webhook import EVENT_TYPES, Attempt, Delivery, DeliveryStatus, EventType, WebhookEndpoint
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.principal import Principal
from services.webhook_rules import DESCRIPTIONS
from services.webhooks import Change

router = APIRouter(tags=["webhook-endpoints"])

Reader = Annotated[Principal, Depends(allowed("webhooks:read"))]
Writer = Annotated[Principal, Depends(allowed("webhooks:write"))]

Name = Annotated[str, Field(min_length=1, max_length=100)]
Url = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^https?://[!-~]+$")]
SharedSecret = Secret[Annotated[str, Field(pattern=r"^[!-~]{8,200}$")]]
"""Printable ASCII without spaces; the signature is only as good as it is long."""
Events = Annotated[list[EventType], Field(min_length=1, max_length=2 * len(EVENT_TYPES))]

EXAMPLE: dict[str, Any] = {
    "name": "CRM Integration",
    "url": "https://example.com/webhook",
    "events": ["call.started", "call.ended"],
    "secret": "my-secret-key",
}


class CreateWebhook(Model):
    """Whom to tell of what. Without a `secret` one is made up; it signs everything that is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    name: Name
    url: Url
    events: Events
    secret: SharedSecret | None = None
    is_active: bool = True


class UpdateWebhook(Model):
    """What to change; everything else stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"isActive": False}]})
    name: Name | None = None
    url: Url | None = None
    events: Events | None = None
    secret: SharedSecret | None = None
    is_active: bool | None = None


class EventResource(Model):
    """Something that can be told."""

    event: EventType
    description: str


class EventsData(Model):
    """`data` with every event."""

    events: list[EventResource]


class WebhookResource(Model):
    """An endpoint. `disabled_at`: it was switched off because nothing reached it for a day; switch it on again with
    `isActive`. `failing_since`: nothing has reached it since then."""

    id: Annotated[str, Field(alias="_id")]
    user_id: str
    name: str
    url: str
    events: tuple[EventType, ...]
    is_active: bool
    failing_since: Maybe[Time] = None
    disabled_at: Maybe[Time] = None
    created_at: Time
    updated_at: Time
    secret: Maybe[str] = None
    """Only in the answer that makes it."""

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, secret: str | None = None) -> Self:
        """As the API shows it."""
        return cls(
            id=endpoint.id,
            user_id=endpoint.user_id,
            name=endpoint.name,
            url=endpoint.url,
            events=endpoint.events,
            is_active=endpoint.is_active,
            failing_since=endpoint.failing_since,
            disabled_at=endpoint.disabled_at,
            created_at=endpoint.created_at,
            updated_at=endpoint.updated_at,
            secret=secret,
        )


class WebhookData(Model):
    """`data` with one endpoint."""

    webhook: WebhookResource


class WebhooksData(Model):
    """`data` with a page of endpoints."""

    webhooks: list[WebhookResource]
    pagination: Pagination


class DeliveryResource(Model):
    """One event for one endpoint. `payload` is what was sent as JSON, `request_headers` with what in the last attempt;
    `next_attempt_at` is there while it is pending, `error` when it is dead."""

    id: Annotated[str, Field(alias="_id")]
    webhook_id: str
    event_id: str
    event: str
    payload: dict[str, Any]
    request_headers: dict[str, str]
    status: DeliveryStatus
    success: bool
    attempts: list[Attempt]
    error: Maybe[str] = None
    next_attempt_at: Maybe[Time] = None
    finished_at: Maybe[Time] = None
    created_at: Time

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """As the API shows it."""
        return cls(
            id=delivery.id,
            webhook_id=delivery.endpoint_id,
            event_id=delivery.event_id,
            event=delivery.event,
            payload=json.loads(delivery.body),
            request_headers=delivery.request_headers,
            status=delivery.status,
            success=delivery.status == "delivered",
            attempts=delivery.attempts,
            error=delivery.error,
            next_attempt_at=delivery.next_at if delivery.status == "pending" else None,
            finished_at=delivery.finished_at,
            created_at=delivery.created_at,
        )


class DeliveryData(Model):
    """`data` with one delivery."""

    delivery: DeliveryResource


class LogData(Model):
    """`data` with a page of an endpoint's deliveries."""

    deliveries: list[DeliveryResource]
    pagination: Pagination


class TestData(Model):
    """What a test came to; `status_code` is missing when nobody answered."""

    success: bool
    status_code: Maybe[int] = None
    response_time_ms: int
    message: str


class ReplayData(Model):
    """How many deliveries are made once more."""

    replayed: int


@router.get("/webhook-events", responses=fails_with(401, 403))
async def list_events(caller: Reader) -> Success[EventsData]:
    """Every event that can be subscribed to."""
    events = [EventResource(event=event, description=DESCRIPTIONS[event]) for event in EVENT_TYPES]
    return Success(data=EventsData(events=events))


@router.get("/webhook-endpoints", responses=fails_with(400, 401, 403))
async def list_webhooks(
    caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[WebhooksData]:
    """The organization's webhooks, newest first."""
    found = await services.webhooks.page(caller, page=page, limit=limit)
    webhooks = [WebhookResource.of(endpoint) for endpoint in found.items]
    return Success(data=WebhooksData(webhooks=webhooks, pagination=Pagination.of(found)))


@router.post("/webhook-endpoints", status_code=201, responses=fails_with(400, 401, 403, 409))
async def create_webhook(body: CreateWebhook, caller: Writer, services: Provided, now: Now) -> Success[WebhookData]:
    """Have an address told of events from now on. `secret` in the answer is shown this once.

    Each event is a POST with `X-Webhook-Event`, `X-Webhook-Id` (the same when it is sent again), `X-Webhook-Timestamp`
    (Unix seconds), `X-Webhook-Signature: sha256=HMAC(secret, body)` and `X-Webhook-Signature-Timestamped:
    sha256=HMAC(secret, timestamp + "." + body)`, which an old message sent again by a stranger does not have. Answer
    with 2xx within 10 seconds. What fails (5xx) or is not answered comes again after 1, 5 and 15 seconds and then ever
    more rarely for a day; a call's events come in order. Each event comes at least once.
    """
    made = await services.webhooks.create(
        caller,
        name=body.name,
        url=body.url,
        events=tuple(body.events),
        secret=_opened(body.secret),
        is_active=body.is_active,
        now=now,
    )
    return Success(data=WebhookData(webhook=WebhookResource.of(*made)))


@router.get("/webhook-endpoints/{endpoint_id}", responses=fails_with(401, 403, 404))
async def get_webhook(endpoint_id: str, caller: Reader, services: Provided) -> Success[WebhookData]:
    """One webhook."""
    return _shown(await services.webhooks.get(caller, endpoint_id))


@router.put("/webhook-endpoints/{endpoint_id}", responses=fails_with(400, 401, 403, 404))
async def update_webhook(
    endpoint_id: str, body: UpdateWebhook, caller: Writer, services: Provided, now: Now
) -> Success[WebhookData]:
    """Change parts of a webhook, or switch it on or off. What happens while it is off is not told."""
    events = None if body.events is None else tuple(body.events)
    change = Change(name=body.name, url=body.url, events=events, secret=_opened(body.secret), is_active=body.is_active)
    return _shown(await services.webhooks.update(caller, endpoint_id, change, now))


@router.delete("/webhook-endpoints/{endpoint_id}", responses=fails_with(401, 403, 404))
async def delete_webhook(endpoint_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Remove a webhook, and with it what was still to be delivered."""
    await services.webhooks.delete(caller, endpoint_id, now)
    return Done(message="Webhook deleted successfully")


@router.post("/webhook-endpoints/{endpoint_id}/test", responses=fails_with(401, 403, 404))
async def test_webhook(endpoint_id: str, caller: Writer, services: Provided, now: Now) -> Success[TestData]:
    """Send a test event (`webhook.test`) now, once, and say what came of it."""
    attempt = await services.webhooks.test(caller, endpoint_id, now)
    message = "Webhook test successful" if attempt.is_success else "Webhook test failed"
    test = TestData(
        success=attempt.is_success,
        status_code=attempt.status_code,
        response_time_ms=attempt.elapsed_ms,
        message=message if attempt.error is None else f"{message}: {attempt.error}",
    )
    return Success(data=test)


@router.get("/webhook-endpoints/{endpoint_id}/logs", responses=fails_with(400, 401, 403, 404))
async def list_deliveries(
    endpoint_id: str,
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 50,
    status: DeliveryStatus | None = None,
    event: Annotated[str | None, Query(max_length=100, description="One kind of event")] = None,
) -> Success[LogData]:
    """What was delivered to a webhook, failed, or still waits, newest first; kept for 30 days."""
    found = await services.webhooks.log(caller, endpoint_id, status=status, event=event, page=page, limit=limit)
    deliveries = [DeliveryResource.of(delivery) for delivery in found.items]
    return Success(data=LogData(deliveries=deliveries, pagination=Pagination.of(found)))


@router.post("/webhook-endpoints/{endpoint_id}/logs/{delivery_id}/replay", responses=fails_with(401, 403, 404, 409))
async def replay_delivery(
    endpoint_id: str, delivery_id: str, caller: Writer, services: Provided, now: Now
) -> Success[DeliveryData]:
    """Deliver an event once more, whatever came of it before."""
    delivery = await services.webhooks.replay(caller, endpoint_id, delivery_id, now)
    return Success(data=DeliveryData(delivery=DeliveryResource.of(delivery)))


@router.post("/webhook-endpoints/{endpoint_id}/replay", responses=fails_with(401, 403, 404, 409))
async def replay_failed(endpoint_id: str, caller: Writer, services: Provided, now: Now) -> Success[ReplayData]:
    """Deliver once more every event that failed for good."""
    return Success(data=ReplayData(replayed=await services.webhooks.replay_dead(caller, endpoint_id, now)))


def _shown(endpoint: WebhookEndpoint) -> Success[WebhookData]:
    return Success(data=WebhookData(webhook=WebhookResource.of(endpoint)))


def _opened(secret: Secret[str] | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
