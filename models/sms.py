"""A text message after a call, and how far it has come."""

from enum import StrEnum

from models.document import Document, Id, Time


class SmsStatus(StrEnum):
    """In the order of `rank`, which is that of how much is known: what the carrier says only ever moves it on.

    `failed`: the carrier has not taken it, as far as anybody knows; `undelivered`: it has, and could not deliver it.
    """

    QUEUED = "queued"
    SENDING = "sending"
    """The carrier is being asked."""
    FAILED = "failed"
    SENT = "sent"
    """The carrier has taken it."""
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    """It is on the person's phone, which is surer than any word that it is not."""

    @property
    def rank(self) -> int:
        """0 queued, 1 sending, 2 failed, 3 sent, 4 undelivered, 5 delivered."""
        return list(SmsStatus).index(self)


class SmsMessage(Document):
    """One message that a call owes the other party: from our number to theirs, E.164 where they are known.

    `text` is the version `template_version_id` of a template, filled; empty where it could not be. `claims` counts who
    has taken it to send: only the last may ask the carrier, and `next_at` is when somebody looks at it again. None:
    there is nothing to do any more.
    """

    organization_id: Id
    call_id: Id
    phone_id: Id
    campaign_id: Id | None = None
    contact_id: Id | None = None
    from_phone: str
    to_phone: str
    text: str
    template_version_id: Id
    dlt_template_id: str | None = None
    dlt_entity_id: str | None = None
    status: SmsStatus = SmsStatus.QUEUED
    error: str | None = None
    """Why it failed, was not delivered, or has to be tried again."""
    carrier_id: str | None = None
    """The carrier's own name for it."""
    attempts: int = 0
    """How often the carrier was asked."""
    claims: int = 0
    next_at: Time | None = None
    sent_at: Time | None = None
    """When the carrier had taken it."""
    finished_at: Time | None = None
    """When it failed, was delivered or was found to be undeliverable."""
    untold: bool = False
    """It is sent, which webhooks may not have been told: set with `sent_at`, in one write."""
