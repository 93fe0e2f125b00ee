"""Campaigns for tests: documents, contacts, and whoever would start their actors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from models.campaign import Campaign
from models.contact import Contact
from models.document import Id, new_id
from tests.documents import DATES, NOW


@dataclass
class CampaignHands:
    """Plays `services.control.CampaignActors`: notes which campaigns it was asked to see to."""

    seen: list[Id] = field(default_factory=list)

    async def see_to(self, campaign_id: Id) -> None:
        """Noted."""
        self.seen.append(campaign_id)


def a_campaign(organization_id: Id, **fields: Any) -> Campaign:
    """A draft; `fields` replace its own."""
    own: dict[str, Any] = {
        **DATES,
        "user_id": new_id(),
        "name": "February reminders",
        "agent_id": new_id(),
        "from_phone": "+919876543210",
    }
    return Campaign(organization_id=organization_id, **(own | fields))


def a_contact(campaign: Campaign, at: int, variables: Mapping[str, str] | None = None, **fields: Any) -> Contact:
    """The contact from line `at`, waiting."""
    own: dict[str, Any] = {
        **DATES,
        "organization_id": campaign.organization_id,
        "campaign_id": campaign.id,
        "line": at,
        "number": f"+9198{at:08d}",
        "time_zone": "Asia/Kolkata",
        "variables": dict(variables or {}),
        "consent": True,
        "next_at": NOW + timedelta(seconds=at),
    }
    return Contact(**(own | fields))
