"""A campaign: many people to be called, once each or until they answer, at the right time of their day."""

import re
from datetime import date, time
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from models.call import CallStatus
from models.conversation import AnsweredBy
from models.document import Document, Id, Model, Time

NO_PLACES = {"Factory", "localtime", "posixrules"}
"""Files beside the zones that are no zones; `Factory` is what an unconfigured machine has."""
MIDNIGHT = time(0)
DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


class CampaignStatus(StrEnum):
    """draft -> scheduled -> running <-> paused -> completed or stopped; nothing follows the last two."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"

    @property
    def is_final(self) -> bool:
        """No status follows this one."""
        return self in (CampaignStatus.COMPLETED, CampaignStatus.STOPPED)


class Outcome(StrEnum):
    """What became of one attempt."""

    ANSWERED = "answered"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    """The carrier could not connect the call."""
    CANCELED = "canceled"
    """Somebody here ended the call before it was answered."""
    NOT_PLACED = "not-placed"
    """The carrier was never asked; the person knows nothing of it."""


class Refusal(StrEnum):
    """Why a contact is not dialled."""

    DO_NOT_CALL = "do-not-call"
    DO_NOT_CALL_UNKNOWN = "do-not-call-unknown"
    """Nobody could say whether the number is on the list."""
    NO_CONSENT = "no-consent"
    UNKNOWN_TIME_ZONE = "unknown-time-zone"
    OUTSIDE_WINDOW = "outside-window"
    HOLIDAY = "holiday"
    NEVER_OPEN = "never-open"
    """No window opens for this contact before the campaign ends."""
    UNSUITABLE = "unsuitable"
    """What is known of the contact does not go into the agent's words, or the number is none."""
    ATTEMPT_OPEN = "attempt-open"
    """An earlier attempt may still be going on."""


class Unreached(StrEnum):
    """How a contact ends that was owed a dial when the campaign was over."""

    EXPIRED = "expired"
    STOPPED = "stopped"


def outcome_of(status: CallStatus, answered_by: AnsweredBy | None) -> Outcome | None:
    """What a call that stands there came to; None: it still goes on."""
    match status:
        case CallStatus.BUSY:
            return Outcome.BUSY
        case CallStatus.NO_ANSWER:
            return Outcome.NO_ANSWER
        case CallStatus.FAILED:
            return Outcome.FAILED
        case CallStatus.CANCELED:
            return Outcome.CANCELED
        case CallStatus.COMPLETED:
            return _who_answered(answered_by)
        case _:
            return None


@lru_cache(maxsize=1024)
def zone_of(name: str | None) -> ZoneInfo | None:
    """The time zone of that IANA name; None: there is none, and so nobody knows what time it is there."""
    if not name or name in NO_PLACES:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a name unknown, of odd form, or of a folder of zones
        return None


def _zone_exists(name: str) -> str:
    if zone_of(name) is None:
        raise ValueError("no such time zone; give an IANA name such as Asia/Kolkata")
    return name


def _is_plain(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        raise ValueError("a time of day has hours and minutes only")
    return value


def _as_day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(DAY, value)):
        return value
    raise ValueError("give a date of this century, such as 2026-02-05")


def _as_clock(value: object) -> object:
    if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(CLOCK, value)):
        return value
    raise ValueError("give a time of day such as 09:30")


ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_zone_exists)]
Day = Annotated[
    date,
    BeforeValidator(_as_day),
    PlainSerializer(lambda day: day.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{DAY}$"}),
]
"""A date in somebody's calendar, stored and shown as 2026-02-05."""
Clock = Annotated[
    time,
    BeforeValidator(_as_clock),
    AfterValidator(_is_plain),
    PlainSerializer(lambda clock: clock.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{CLOCK}$", "examples": ["09:30"]}),
]
"""A time of day on somebody's wall, stored and shown as 09:30."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Window(Model):
    """When people may be called, by the clock on their own wall.

    One that closes at or before it opens closes on the day after; 00:00 to 00:00 is the whole day.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]
    opens: Clock
    closes: Clock

    @property
    def is_overnight(self) -> bool:
        """Whether it closes on the day after it opened."""
        return self.closes <= self.opens

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if len(set(self.days)) < len(self.days):
            raise ValueError("a window names each weekday once")
        if self.opens == self.closes != MIDNIGHT:
            raise ValueError("a window closes at another time than it opens; the whole day is 00:00 to 00:00")
        return self


OFFICE_HOURS = Window(days=WEEKDAYS[:5], opens=time(9), closes=time(18))


class Pacing(Model):
    """How fast. Dials are spread evenly over a minute, `batch_size` of them at once."""

    max_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5
    calls_per_minute: Annotated[int, Field(ge=1, le=6000)] = 30
    batch_size: Annotated[int, Field(ge=1, le=500)] = 10
    daily_cap: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Calls per day of the campaign's own calendar; None: as many as there are."""


class Retry(Model):
    """Whether and when to try again after one outcome."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = 1
    """So many attempts of a contact may end like this, the first one included; 1: no other try."""
    delay_s: Annotated[int, Field(ge=30, le=30 * 86_400)] = 900
    backoff: Annotated[float, Field(ge=1, le=10)] = 1.0
    """Each delay is the one before times this."""
    max_delay_s: Annotated[int, Field(ge=30, le=30 * 86_400)] = 7 * 86_400


class Retries(Model):
    """After which outcomes a contact is tried again. Whoever answered has been reached."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    """Of one contact in all, whatever they came to."""
    busy: Retry = Retry(max_attempts=3, delay_s=300, backoff=2.0)
    no_answer: Retry = Retry(max_attempts=3, delay_s=3600, backoff=2.0)
    failed: Retry = Retry(max_attempts=2, delay_s=600)
    machine: Retry = Retry(max_attempts=2, delay_s=4 * 3600)


class Breaker(Model):
    """A campaign pauses itself when the carrier fails too often."""

    enabled: bool = True
    window_s: Annotated[int, Field(ge=10, le=3600)] = 120
    min_calls: Annotated[int, Field(ge=1, le=1000)] = 10
    """So many calls have to have ended within the window before their share of failures means anything."""
    failure_share: Annotated[float, Field(gt=0, le=1)] = 0.5


class CampaignRules(Model):
    """Everything that decides who is dialled when. `time_zone` is for the campaign's own dates and its days."""

    time_zone: ZoneName = "UTC"
    starts_on: Day | None = None
    starts_at: Annotated[Clock, Field(json_schema_extra={"default": "00:00"})] = MIDNIGHT
    """The time of day on `starts_on`."""
    ends_on: Day | None = None
    """The last day."""
    windows: Annotated[tuple[Window, ...], Field(min_length=1, max_length=50)] = (OFFICE_HOURS,)
    holidays: Annotated[tuple[Day, ...], Field(max_length=400)] = ()
    """Days on the contact's own calendar. No window opens on one, and none goes on into one."""
    requires_consent: bool = True
    pacing: Pacing = Pacing()
    retries: Retries = Retries()
    breaker: Breaker = Breaker()

    @model_validator(mode="after")
    def _dates_make_sense(self) -> Self:
        if self.starts_on is not None and self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError("a campaign ends on the day it starts at the earliest")
        if len(set(self.holidays)) < len(self.holidays):
            raise ValueError("a holiday is named once")
        return self


class CampaignCounters(Model):
    """How far a campaign is: contacts by state (`pending`, `dialing`, `done`), those done by how they ended, attempts
    by what they came to (`open`: under way).
    """

    contacts: dict[str, int] = Field(default_factory=dict)
    finals: dict[str, int] = Field(default_factory=dict)
    attempts: dict[str, int] = Field(default_factory=dict)


class Change(Model):
    """A status a campaign came to; `number` counts its changes from 1. `by`: the user, None: the campaign itself."""

    number: int
    status: CampaignStatus
    reason: str | None = None
    at: Time
    by: Id | None = None


class Campaign(Document):
    """Who calls (`agent_id`, from `from_phone`, E.164), by which rules, and how far it is. Contacts are their own."""

    organization_id: Id
    user_id: Id
    name: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=1000)] = ""
    status: CampaignStatus = CampaignStatus.DRAFT
    status_reason: str | None = None
    """Why it was paused or stopped, where somebody or something said so."""
    agent_id: Id
    from_phone: str
    rules: CampaignRules = CampaignRules()
    counters: CampaignCounters = CampaignCounters()
    started_at: Time | None = None
    ended_at: Time | None = None
    changes: tuple[Change, ...] = ()
    """The last ones."""
    untold: bool = False
    """A change may not have been told to webhooks: set with it, in one write."""
    news: int = 0
    """How often somebody decided something that its actor has to know."""
    needs_runner: bool = False
    """An actor has to look after it: until nothing is under way, and nothing will be before somebody decides more."""
    wake_at: Time | None = None
    """It needs none before then."""
    runner: str | None = None
    """Which life of its actor has it; whoever was before claims nobody for it any more."""


def _who_answered(answered_by: AnsweredBy | None) -> Outcome:
    if answered_by in ("machine-ivr", "machine-voicemail"):
        return Outcome.MACHINE
    return Outcome.NO_ANSWER if answered_by == "unavailable" else Outcome.ANSWERED
