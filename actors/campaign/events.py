"""What can happen to a campaign: events go into `machine.handle`.

What people decide (pause, resume, stop, new rules) is in the store before it is told here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from models.campaign import CampaignRules, Outcome
from models.contact import Contact
from models.document import Id


class Cause(Enum):
    """Why an attempt was not placed."""

    NO_CAPACITY = "no-capacity"
    """Nobody here could have carried the call."""
    NO_CREDIT = "no-credit"
    NOT_READY = "not-ready"
    """The agent, the phone or the user the campaign acts for is gone or out of use: somebody has to see to it."""
    UNSUITABLE = "unsuitable"
    """What is known of this contact can be no call's; another contact may fare better."""
    TOO_LATE = "too-late"
    """The contact's window had closed by then."""
    LOST = "lost"
    """The actor that was about to place it is gone, and the carrier knows nothing of it."""
    TAKEN = "taken"
    """The store says that somebody else has the contact by now, who will see to it."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come; also the first event of every actor."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Somebody paused the campaign. Calls under way go on."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Somebody let the campaign run again."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody ended the campaign. Calls under way go on, and nobody is tried again."""


@dataclass(frozen=True, slots=True)
class RulesChanged:
    """The campaign has these rules now."""

    rules: CampaignRules


@dataclass(frozen=True, slots=True)
class ContactsAdded:
    """There may be contacts who are due at once."""


@dataclass(frozen=True, slots=True)
class ContactsDue:
    """The answer to `ClaimContacts`: these belong to this campaign's actor alone now.

    `do_not_call`: those of their numbers that are on a list, looked up after the claim; None: nobody could look.
    `next_at`: when the first of all contacts that still wait is due; None: nobody waits.
    """

    contacts: tuple[Contact, ...]
    do_not_call: Collection[str] | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimFailed:
    """The store did not answer `ClaimContacts`; what it may have claimed has been let go."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """What an attempt came to. A carrier that refuses to dial is `FAILED`."""

    contact_id: Id
    attempt: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """The carrier was not asked to dial, and never will be for this attempt."""

    contact_id: Id
    attempt: int
    cause: Cause
    retry_after: timedelta = timedelta(0)
    """How long it makes no sense to dial anybody."""


Event = (
    Tick | Paused | Resumed | Stopped | RulesChanged | ContactsAdded | ContactsDue | ClaimFailed | CallEnded | NotPlaced
)
