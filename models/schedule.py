"""A call that is to be made at a local time, once or again and again, and what became of each time."""

from typing import Annotated, Any, Literal

from pydantic import Field

from models.document import Document, Id, Model, Time

ScheduleStatus = Literal["scheduled", "firing", "done", "missed", "failed", "cancelled"]
"""`scheduled` waits, `firing` is being dialled; the others are final."""
Outcome = Literal["done", "missed", "failed"]
"""The call was placed; it was too late for it; it was refused."""

LateMinutes = Annotated[int, Field(ge=1, le=1440)]


class Coming(Model):
    """The time of a schedule that is next: `local_time` is what the rule gave, `due_at` the moment it means."""

    due_at: Time
    local_time: str
    number: int
    """How many times the rule has given so far, this one included."""
    call_id: Id
    """Of the call that will be made: known before it is, so that no second attempt makes another."""
    skipped: int = 0
    """Times before this one that came due while nothing could dial."""
    waited_for: str | None = None
    """Why it could not be dialled yet."""


class Schedule(Document):
    """`local_time` is ISO without an offset, at the clocks of `timezone`, an IANA name. Numbers are E.164.

    It acts for the user who made it. `reason` says why its last time came to nothing.
    """

    organization_id: Id
    user_id: Id
    from_phone: str
    to_phone: str
    agent_id: Id
    metadata: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, str] = Field(default_factory=dict)
    """What goes into the agent's texts: `{customer_name}`."""
    notes: str = ""
    local_time: str
    timezone: str
    rrule: str | None = None
    late_minutes: LateMinutes = 10
    """A call that could not be placed for longer than that is not placed any more."""
    status: ScheduleStatus = "scheduled"
    reason: str | None = None
    coming: Coming | None = None
    """None: it is over."""
    wake_at: Time | None = None
    """When somebody has to look at it: it is due, it is to be tried again, or whoever dialled has died."""
    revision: Id
    """Another one after each write: a change is made to what was read, or not at all."""


class Occurrence(Document):
    """One time of a schedule that is over. Its id is `Coming.call_id`; `call_id` is there when a call is."""

    organization_id: Id
    schedule_id: Id
    due_at: Time
    number: int
    outcome: Outcome
    reason: str | None = None
    call_id: Id | None = None
    skipped: int = 0
