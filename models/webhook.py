"""Outgoing webhooks: what can be told, whom an organization has told, and each telling with its attempts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field

from models.document import Document, Id, Model, Time

EventType = Literal[
    "call.initiated",
    "call.started",
    "call.answered",
    "call.state_changed",
    "call.completed",
    "call.ended",
    "call.failed",
    "campaign.started",
    "campaign.paused",
    "campaign.completed",
    "lead.imported",
    "recording.ready",
    "transcription.complete",
    "sms.sent",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
TEST = "webhook.test"
"""What a test sends; nobody subscribes to it."""

DeliveryStatus = Literal["pending", "delivered", "dead"]


@dataclass(frozen=True, slots=True)
class Event:
    """One fact to tell. The same fact has the same `id` whoever finds it, however often.

    Those of one `subject_id` (a call) are told in the order of `sequence`. `data` is what the receiver reads.
    """

    id: str
    organization_id: Id
    type: EventType
    at: datetime
    subject_id: Id
    sequence: int
    data: dict[str, Any]


class WebhookEndpoint(Document):
    """An address of a customer's that is told of events.

    `since`: what happened before is not told. `failing_since`: when its present run of failures began.
    """

    organization_id: Id
    user_id: Id
    name: str
    url: str
    events: tuple[EventType, ...]
    encrypted_secret: str
    is_active: bool = True
    since: Time
    failing_since: Time | None = None
    disabled_at: Time | None = None
    """When it was switched off because nothing reached it any more; None: it was not, or is on again."""


class Attempt(Model):
    """One request and what became of it: a status, or the `error` in its place."""

    at: Time
    elapsed_ms: int
    status_code: int | None = None
    response_body: str = ""
    """Its beginning."""
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status_code is not None and 200 <= self.status_code < 300


class Delivery(Document):
    """One event for one endpoint. `body` is sent as it is, byte by byte, however often.

    `claims` counts who has taken it to send; only the last may say what became of it. While `pending`, `next_at` is
    when somebody takes it next: after a failure, or because whoever took it has died over it.
    """

    organization_id: Id
    endpoint_id: Id
    event_id: str
    event: str
    subject_id: Id
    sequence: int
    body: str
    status: DeliveryStatus = "pending"
    next_at: Time
    is_blocked: bool = False
    """It waits for one that is to be told before it."""
    claims: int = 0
    tries: int = 0
    """Attempts since it was made or last replayed."""
    attempts: list[Attempt] = Field(default_factory=list)
    request_headers: dict[str, str] = Field(default_factory=dict)
    """Of the last attempt."""
    error: str | None = None
    """Why it is dead."""
    finished_at: Time | None = None
