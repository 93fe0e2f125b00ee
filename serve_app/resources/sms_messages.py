"""/sms-messages: the text messages that followed calls, and what became of each."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from models.document import Model, Time
from models.sms import SmsMessage, SmsStatus
from serve_app.authentication import Provided, allowed
from serve_app.envelope import Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.principal import Principal

router = APIRouter(prefix="/sms-messages", tags=["sms-messages"])

Reader = Annotated[Principal, Depends(allowed("calls:read"))]

OfCall = Annotated[str | None, Query(alias="callId", max_length=100, description="The message of this call")]
InStatus = Annotated[SmsStatus | None, Query(description="Messages in this status only")]


class SmsMessageResource(Model):
    """A message. `status`: `queued` and `sending` go on; `sent` means that the carrier has it and may go on;
    `failed`, `undelivered` and `delivered` are how it ended. `error` says why it failed or was not delivered, or why it
    has to be tried again, from `nextAttemptAt` on.
    """

    id: Annotated[str, Field(alias="_id")]
    call_id: str
    campaign_id: Maybe[str] = None
    contact_id: Maybe[str] = None
    from_phone: str
    to_phone: str
    text: str
    template_version_id: str
    dlt_template_id: Maybe[str] = None
    dlt_entity_id: Maybe[str] = None
    status: SmsStatus
    error: Maybe[str] = None
    carrier_message_id: Maybe[str] = None
    attempts: int
    next_attempt_at: Maybe[Time] = None
    sent_at: Maybe[Time] = None
    finished_at: Maybe[Time] = None
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, message: SmsMessage) -> Self:
        """As the API shows it."""
        return cls(
            id=message.id,
            call_id=message.call_id,
            campaign_id=message.campaign_id,
            contact_id=message.contact_id,
            from_phone=message.from_phone,
            to_phone=message.to_phone,
            text=message.text,
            template_version_id=message.template_version_id,
            dlt_template_id=message.dlt_template_id,
            dlt_entity_id=message.dlt_entity_id,
            status=message.status,
            error=message.error,
            carrier_message_id=message.carrier_id,
            attempts=message.attempts,
            next_attempt_at=message.next_at if message.status is SmsStatus.QUEUED else None,
            sent_at=message.sent_at,
            finished_at=message.finished_at,
            created_at=message.created_at,
            updated_at=message.updated_at,
        )


class SmsMessageData(Model):
    """`data` with one message."""

    sms_message: SmsMessageResource


class SmsMessagesData(Model):
    """`data` with a page of messages."""

    sms_messages: list[SmsMessageResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403))
async def list_sms_messages(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    call_id: OfCall = None,
    status: InStatus = None,
) -> Success[SmsMessagesData]:
    """The text messages that calls were followed by, newest first."""
    found = await services.sms_messages.page(caller, call_id=call_id, status=status, page=page, limit=limit)
    messages = [SmsMessageResource.of(message) for message in found.items]
    return Success(data=SmsMessagesData(sms_messages=messages, pagination=Pagination.of(found)))


@router.get("/{message_id}", responses=fails_with(401, 403, 404))
async def get_sms_message(message_id: str, caller: Reader, services: Provided) -> Success[SmsMessageData]:
    """One message."""
    message = await services.sms_messages.get(caller, message_id)
    return Success(data=SmsMessageData(sms_message=SmsMessageResource.of(message)))
