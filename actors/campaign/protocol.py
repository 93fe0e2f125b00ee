"""The vocabulary of one campaign in one place: its events, its commands, and what a new actor finds."""

from dataclasses import dataclass
from datetime import datetime

from actors.campaign.commands import (
    Become as Become,
    ClaimContacts as ClaimContacts,
    CloseZone as CloseZone,
    Command as Command,
    Dial as Dial,
    Ended as Ended,
    Finish as Finish,
    FinishWaiting as FinishWaiting,
    Refuse as Refuse,
    RetryAt as RetryAt,
)
from actors.campaign.events import (
    CallEnded as CallEnded,
    Cause as Cause,
    ClaimFailed as ClaimFailed,
    ContactsAdded as ContactsAdded,
    ContactsDue as ContactsDue,
    Event as Event,
    NotPlaced as NotPlaced,
    Paused as Paused,
    Resumed as Resumed,
    RulesChanged as RulesChanged,
    Stopped as Stopped,
    Tick as Tick,
)
from models.campaign import CampaignStatus, Outcome
from models.contact import Contact


@dataclass(frozen=True, slots=True)
class Live:
    """An attempt under way: the contact, with or without this attempt among its own, and when it was dialled."""

    contact: Contact
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store knows of a campaign whose actor starts. Contacts claimed but in no attempt wait again by then."""

    status: CampaignStatus
    live: tuple[Live, ...] = ()
    """Attempts without an outcome; the machine is told later what they came to."""
    dialled_lately: tuple[datetime, ...] = ()
    """When the attempts of the last minute began; those known never to have been placed do not count."""
    dialled_today: int = 0
    """How many attempts began since the campaign's day began, counted alike: those in `live` are among them."""
    ended_lately: tuple[tuple[datetime, Outcome], ...] = ()
    """When calls ended within the breaker's window, and how; without it the breaker counts anew."""
