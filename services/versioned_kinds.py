"""The kinds of things that have versions, and what each has of its own. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic

from models.audit import Subject
from models.conversation import Interruption, Silence, TurnTaking, Voicemail
from models.versioned import B, Prompt, SessionSettings, SmsTemplate
from services.templates import check_template


@dataclass(frozen=True, slots=True)
class Kind(Generic[B]):
    """A kind as data.

    `reference` is the field of an agent's configuration that points at one, `inside` the field of a request that its
    words are in (empty: the request itself), `check` raises Invalid, `defaults` are those that every organization has.
    """

    noun: str
    subject: Subject
    body: type[B]
    reference: str
    inside: str = ""
    check: Callable[[B], None] = lambda _: None
    defaults: Mapping[str, B] = field(default_factory=dict)


STANDARD = SessionSettings(
    turn_taking=TurnTaking(), interruption=Interruption(), silence=Silence(), voicemail=Voicemail()
)
PATIENT = SessionSettings(
    turn_taking=TurnTaking(end_ms=900, end_complete_ms=600, end_incomplete_ms=1600, acknowledge_after_ms=2500),
    interruption=Interruption(),
    silence=Silence(reprompt_after_s=20, reprompts=3),
    voicemail=Voicemail(),
)
"""For callers who take their time: they read numbers from a letter, or ask somebody else in the room."""

PROMPT = Kind("Prompt", "prompt", Prompt, "promptId")
SESSION_SETTINGS = Kind(
    "Session settings",
    "session-settings",
    SessionSettings,
    "sessionSettingsId",
    inside="settings",
    defaults={"Standard": STANDARD, "Patient": PATIENT},
)
SMS_TEMPLATE = Kind(
    "SMS template",
    "sms-template",
    SmsTemplate,
    "smsTemplateId",
    check=lambda template: check_template(template.content, "content"),
)
