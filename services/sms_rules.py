"""Text messages after calls as rules: which a call owes, what it says, when it is tried again, when never. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.agent import AgentConfig
from models.call import Call
from models.campaign import outcome_of
from models.document import Id, as_iso
from models.errors import FieldError, Invalid, ProviderError
from models.sms import SmsMessage, SmsStatus
from models.versioned import SMS_CHARS, SmsTemplate, Version
from models.webhook import Event
from services.numbers import e164
from services.templates import filled

RETRY_S = (5, 15, 60, 300, 900, 1_800, 3_600, 7_200)
"""How long to wait after each refusal that was for the moment only; about four hours in all."""
LONGEST_S = 7_200
TOO_LATE = timedelta(hours=24)
"""A call that ended so long ago is not written about any more: whoever was on it would not know why."""

DO_NOT_CALL = "The number is on the do-not-call list"
NOBODY_KNOWS = "It is not known whether the carrier has taken the message, so it is not sent again"
NO_NUMBER = "The number of the person on the line is not known"
LATE = "The call had ended more than a day before"
TOO_LONG = f"The message has more than {SMS_CHARS} characters"
AFTER_THE_CALL = 1_000
"""The event's place among those of its call: behind everything that is told of the call itself."""


@dataclass(frozen=True, slots=True)
class Again:
    """Ask the carrier once more after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Never:
    """Ask no more."""


def check_named(config: AgentConfig) -> None:
    """Raises Invalid when a message is to follow calls and none is named."""
    if config.sms_after.outcomes and config.sms_template_id is None:
        raise Invalid(fields=[FieldError("config.smsTemplateId", "Name the message that is to follow calls")])


def message_id(call_id: Id) -> Id:
    """The id of the message after a call: whoever finds that it is owed finds the same one."""
    return Id(hashlib.sha256(f"{call_id}|sms".encode()).hexdigest()[:24])


def template_owed(call: Call) -> Id | None:
    """The version of the template whose text the call owes the other party; None: it owes nothing, or is not over.

    It is owed after the outcomes that the agent names, and where it names dispositions as well, after those only.
    """
    rule, version_id = call.agent_config.sms_after, None if call.versions is None else call.versions.sms_template_id
    outcome = outcome_of(call.status, call.answered_by)
    if version_id is None or outcome is None or outcome not in rule.outcomes:
        return None
    if rule.dispositions and (call.disposition is None or call.disposition.name not in rule.dispositions):
        return None
    return version_id


def message(
    call: Call, version_id: Id, template: Version[SmsTemplate] | None, from_phone: str | None, now: datetime
) -> SmsMessage:
    """The message a call owes; failed from the beginning where it can never be sent.

    `template` and `from_phone`, the number of ours that the call was on, are None when they are gone.
    """
    other = call.from_phone if call.direction == "inbound" else call.to_phone
    ours = call.to_phone if call.direction == "inbound" else call.from_phone
    text, problem = _text(call, template)
    number = _number(other)
    late = call.ended_at is not None and now - call.ended_at > TOO_LATE
    problems = (
        LATE if late else None,
        "The phone of the call is gone" if from_phone is None else None,
        NO_NUMBER if number is None else None,
        problem,
    )
    error = next((each for each in problems if each), None)
    fate: dict[str, Any] = {"next_at": now}
    if error is not None:
        fate = {"status": SmsStatus.FAILED, "error": error, "finished_at": now}
    return SmsMessage(
        id=message_id(call.id),
        created_at=now,
        updated_at=now,
        organization_id=call.organization_id,
        call_id=call.id,
        phone_id=call.phone_id,
        campaign_id=call.campaign and call.campaign.campaign_id,
        contact_id=call.campaign and call.campaign.contact_id,
        from_phone=from_phone or ours,
        to_phone=number or other,
        text=text,
        template_version_id=version_id,
        dlt_template_id=template and template.body.dlt_template_id,
        dlt_entity_id=template and template.body.dlt_entity_id,
        **fate,
    )


def is_too_late(sms: SmsMessage, now: datetime) -> bool:
    """Whether a message has waited for too long, as when nobody was there to send it."""
    return now - sms.created_at > TOO_LATE


def after_refusal(error: ProviderError, attempts: int) -> Again | Never:
    """What follows when the carrier has not taken a message at the attempt of this number, from 1."""
    if not error.retryable or attempts > len(RETRY_S):
        return Never()
    return Again(min(LONGEST_S, max(RETRY_S[attempts - 1], error.retry_after_s or 0)))


def sent_event(sms: SmsMessage) -> Event | None:
    """What webhooks are told of a message that the carrier has taken; None: it has not.

    What it says is not in it: receivers fetch it with their own credentials.
    """
    if sms.sent_at is None:
        return None
    data = {
        "sms_id": sms.id,
        "call_id": sms.call_id,
        "campaign_id": sms.campaign_id,
        "contact_id": sms.contact_id,
        "template_id": sms.template_version_id,
        "from_number": sms.from_phone,
        "to_number": sms.to_phone,
        "sent_at": as_iso(sms.sent_at),
    }
    return Event(f"{sms.id}.sms.sent", sms.organization_id, "sms.sent", sms.sent_at, sms.call_id, AFTER_THE_CALL, data)


def _text(call: Call, template: Version[SmsTemplate] | None) -> tuple[str, str | None]:
    """The message in words, or why there is none."""
    if template is None:
        return "", "The template is gone"
    try:
        text = filled(template.body.content, call.variables)
    except Invalid as error:
        names = ", ".join(problem.field.removeprefix("variables.") for problem in error.fields)
        return "", f"The call has no value for: {names}"
    return ("", TOO_LONG) if len(text) > SMS_CHARS else (text, None)


def _number(text: str) -> str | None:
    try:
        return e164(text, "to")
    except Invalid:
        return None
