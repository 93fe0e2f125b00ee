"""What a campaign can ask for: commands come out of `machine.handle`, and its actor carries them out in their order.

A command that ends a claim or an attempt is one write; written twice it changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from models.campaign import CampaignStatus, Outcome, Refusal, Unreached
from models.document import Id


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt is over, and what it came to."""

    attempt: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ClaimContacts:
    """Take up to `limit` contacts that are due at `due`; answers `ContactsDue` or `ClaimFailed`. One at a time."""

    limit: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Dial:
    """Write that the attempt begins, then dial; answers `CallEnded` or `NotPlaced`.

    Not to be dialled at `before` or later: the contact's window is closed then, and the answer is `TOO_LATE`.
    """

    contact_id: Id
    attempt: int
    before: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """Record why the contact is not dialled. It waits until `until`; None: it is done, and this is how it ended."""

    contact_id: Id
    reason: Refusal
    until: datetime | None


@dataclass(frozen=True, slots=True)
class CloseZone:
    """Everybody in this time zone who waits and is due before `until` waits until then, refused for that reason."""

    time_zone: str
    reason: Refusal
    until: datetime


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Let the contact wait until `at`."""

    contact_id: Id
    at: datetime
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The contact is done."""

    contact_id: Id
    final: Outcome | Unreached | Refusal
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class FinishWaiting:
    """Everybody who waits is done. Who is claimed comes to the machine, who is on the phone ends with the call."""

    final: Unreached


@dataclass(frozen=True, slots=True)
class Become:
    """Write the campaign's new status, then tell. `COMPLETED` follows any status that is not final."""

    status: CampaignStatus
    reason: str | None = None


Command = ClaimContacts | Dial | Refuse | CloseZone | RetryAt | Finish | FinishWaiting | Become
