"""The audit log: who changed what, when, from where."""

from typing import Any, Literal

from pydantic import Field

from models.document import Document, Id

Subject = Literal[
    "agent",
    "phone",
    "call",
    "user",
    "api-key",
    "organization",
    "webhook",
    "prompt",
    "session-settings",
    "sms-template",
    "do-not-call",
    "campaign",
    "schedule",
]


class AuditRecord(Document):
    """One change by a person or a key; never altered afterwards.

    `action` is `<subject>.<verb>` (`agent.update`). `details` says which fields were set, or amounts and roles; never
    secrets, prompts, transcripts or telephone numbers.
    """

    organization_id: Id
    user_id: Id
    key_id: Id | None = None
    action: str
    subject: Subject
    subject_id: Id
    details: dict[str, Any] = Field(default_factory=dict)
    ip: str = ""
    user_agent: str = ""
