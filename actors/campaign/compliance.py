"""Whether a contact may be dialled at this moment; whatever is not known for certain is a no. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from actors.campaign.windows import Closed, Hours
from models.campaign import CampaignRules, Refusal, zone_of
from models.contact import Contact

UNSURE = timedelta(minutes=1)
"""How long to wait for an answer that could not be had now."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The contact may be dialled, now and before `before`."""

    before: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, and when to ask again; None: never."""

    reason: Refusal
    until: datetime | None = None


def checked(
    contact: Contact, rules: CampaignRules, hours: Hours, do_not_call: Collection[str] | None, now: datetime
) -> Allowed | Refused:
    """The verdict on one contact. `do_not_call`: numbers on a list; None: the lists could not be asked."""
    if contact.open_attempt is not None:
        return Refused(Refusal.ATTEMPT_OPEN, now + UNSURE)
    if do_not_call is None:
        return Refused(Refusal.DO_NOT_CALL_UNKNOWN, now + UNSURE)
    if contact.number in do_not_call:
        return Refused(Refusal.DO_NOT_CALL)
    if rules.requires_consent and not contact.consent:
        return Refused(Refusal.NO_CONSENT)
    zone = zone_of(contact.time_zone)
    if zone is None:
        return Refused(Refusal.UNKNOWN_TIME_ZONE)
    hour = hours.at(zone, now)
    if isinstance(hour, Closed):
        return Refused(hour.reason, hour.opens) if hour.opens else Refused(Refusal.NEVER_OPEN)
    return Allowed(hour.until)
