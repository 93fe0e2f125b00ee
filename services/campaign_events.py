"""What is told of campaigns: to dashboards over Socket.IO, to webhooks. Pure.

Webhooks in the words of the public documents' events, as those of calls: snake_case, and nothing about a person.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from models.campaign import Campaign, CampaignStatus, Change
from models.contact import ContactState
from models.document import as_iso
from models.webhook import Event, EventType
from services.contacts import ImportReport

PROGRESS = "campaign:progress"
ERROR = "campaign:error"

Payload = dict[str, Any]

STATES: tuple[ContactState, ...] = get_args(ContactState)
TOLD: Mapping[CampaignStatus, EventType] = {
    CampaignStatus.RUNNING: "campaign.started",
    CampaignStatus.PAUSED: "campaign.paused",
    CampaignStatus.COMPLETED: "campaign.completed",
    CampaignStatus.STOPPED: "campaign.completed",
}
"""What webhooks are told of a status. A campaign that runs again has started again; its `status` says how one ended."""


def progress(campaign: Campaign, now: datetime) -> Payload:
    """Of `campaign:progress`: where a campaign stands, and how far it is by its own counters."""
    counters = campaign.counters
    return {
        "campaignId": campaign.id,
        "status": campaign.status.value,
        "reason": campaign.status_reason,
        "contacts": dict.fromkeys(STATES, 0) | counters.contacts,
        "finals": dict(counters.finals),
        "attempts": dict(counters.attempts),
        "timestamp": as_iso(now),
    }


def error(campaign_id: str, code: str, message: str) -> Payload:
    """Of `campaign:error`."""
    return {"campaignId": campaign_id, "error": {"code": code, "message": message}}


def owed_events(campaign: Campaign) -> list[Event]:
    """Everything to tell of a campaign's changes, as far as it keeps them, in order; each time the same events."""
    known = {change.number: change for change in campaign.changes}
    return [
        _event(campaign, TOLD[change.status], change, known.get(change.number - 1))
        for change in campaign.changes
        if change.status in TOLD
    ]


def imported(campaign: Campaign, report: ImportReport, now: datetime) -> Event:
    """That an import is over, and what it brought."""
    data = {
        "campaign_id": campaign.id,
        "import_id": report.import_id,
        "total_rows": report.rows,
        "imported": report.imported,
        "duplicates": report.duplicates_in_file + report.duplicates_in_campaign,
        "errors": report.bad,
    }
    return Event(
        f"{report.import_id}.lead.imported",
        campaign.organization_id,
        "lead.imported",
        now,
        subject_id=report.import_id,
        sequence=0,
        data=data,
    )


def _event(campaign: Campaign, type_: EventType, change: Change, before: Change | None) -> Event:
    data = {
        "campaign_id": campaign.id,
        "name": campaign.name,
        "agent_id": campaign.agent_id,
        "caller_number": campaign.from_phone,
        "status": change.status.value,
        "previous_status": None if before is None else before.status.value,
        "reason": change.reason,
    }
    return Event(
        f"{campaign.id}:{change.number}",
        campaign.organization_id,
        type_,
        change.at,
        subject_id=campaign.id,
        sequence=change.number,
        data=data,
    )
