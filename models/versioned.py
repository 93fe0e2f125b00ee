"""Things that keep every version of themselves: prompts, voice-session settings, templates of text messages.

A thing is its `Head`; what it says is in its versions, which never change. The head alone decides which version counts
and whether the thing is there at all, so each of both is one write.
"""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from models.agent import Language, Llm, PromptText, Voice
from models.conversation import Interruption, Silence, TurnTaking, Voicemail
from models.document import Document, Id, Model

SMS_CHARS = 2_000
"""What carriers take of one message."""

Name = Annotated[str, Field(min_length=1, max_length=100)]
DltId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]


class Prompt(Model):
    """Instructions for the language model."""

    content: PromptText


class SessionSettings(Model):
    """How a call listens, waits and speaks. None: as the agent itself has it.

    `session_timeout` is the longest call in seconds.
    """

    voice: Voice | None = None
    language: Language | None = None
    llm: Llm | None = None
    session_timeout: Annotated[int, Field(ge=10, le=3600)] | None = None
    turn_taking: TurnTaking | None = None
    interruption: Interruption | None = None
    silence: Silence | None = None
    voicemail: Voicemail | None = None


class SmsTemplate(Model):
    """A text message with variables, `{customer_name}`.

    The two identifiers are those of the message's registration (DLT), without which no network in India delivers it.
    """

    content: Annotated[str, Field(min_length=1, max_length=SMS_CHARS)]
    dlt_template_id: DltId | None = None
    dlt_entity_id: DltId | None = None


B = TypeVar("B", bound=Model)
"""What a version says: `Prompt`, `SessionSettings` or `SmsTemplate`."""


class Head(Document):
    """A thing, by the id that stays the same through all versions.

    `name` is the active version's; `latest` is the highest version number that was told here.
    """

    organization_id: Id
    name: Name
    active_id: Id
    latest: int
    is_default: bool = False
    """One of those that every organization has; it may get new versions, and cannot be deleted."""


class Version(Document, Generic[B]):
    """One version, from 1; written once. `previous_id` is the version it was made from."""

    organization_id: Id
    root_id: Id
    version: int
    previous_id: Id | None = None
    name: Name
    body: B
