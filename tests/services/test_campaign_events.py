"""What is told of campaigns."""

from datetime import timedelta

from models.campaign import CampaignCounters, CampaignStatus, Change
from models.document import new_id
from services.campaign_events import error, imported, owed_events, progress
from services.contacts import ImportReport
from tests.campaigns import a_campaign
from tests.documents import NOW

DRAFT, SCHEDULED, RUNNING, PAUSED, COMPLETED, STOPPED = CampaignStatus
USER = new_id()
CAMPAIGN = a_campaign(
    new_id(),
    changes=tuple(
        Change(number=at, status=status, at=NOW + timedelta(minutes=at), by=USER if at % 2 else None, reason=f"r{at}")
        for at, status in enumerate((SCHEDULED, RUNNING, PAUSED, RUNNING, STOPPED), start=1)
    ),
)


def test_progress_says_where_a_campaign_stands() -> None:
    counters = CampaignCounters(contacts={"pending": 3, "done": 1}, finals={"answered": 1}, attempts={"busy": 2})
    campaign = a_campaign(new_id(), status=PAUSED, status_reason="no-credit", counters=counters)
    assert progress(campaign, NOW) == {
        "campaignId": campaign.id,
        "status": "paused",
        "reason": "no-credit",
        "contacts": {"pending": 3, "dialing": 0, "done": 1},
        "finals": {"answered": 1},
        "attempts": {"busy": 2},
        "timestamp": "2026-01-15T10:30:00.000Z",
    }


def test_an_error_names_its_campaign() -> None:
    assert error("c", "NOT_FOUND", "No") == {"campaignId": "c", "error": {"code": "NOT_FOUND", "message": "No"}}


def test_webhooks_are_told_of_each_start_pause_and_end_in_order() -> None:
    events = owed_events(CAMPAIGN)
    assert [(event.id, event.type, event.sequence) for event in events] == [
        (f"{CAMPAIGN.id}:2", "campaign.started", 2),
        (f"{CAMPAIGN.id}:3", "campaign.paused", 3),
        (f"{CAMPAIGN.id}:4", "campaign.started", 4),
        (f"{CAMPAIGN.id}:5", "campaign.completed", 5),
    ]
    assert {event.subject_id for event in events} == {CAMPAIGN.id}
    assert {event.organization_id for event in events} == {CAMPAIGN.organization_id}
    assert [event.at for event in events] == [NOW + timedelta(minutes=at) for at in (2, 3, 4, 5)]
    assert events[-1].data == {
        "campaign_id": CAMPAIGN.id,
        "name": CAMPAIGN.name,
        "agent_id": CAMPAIGN.agent_id,
        "caller_number": CAMPAIGN.from_phone,
        "status": "stopped",
        "previous_status": "running",
        "reason": "r5",
    }


def test_the_first_change_that_is_kept_knows_none_before_it() -> None:
    shortened = CAMPAIGN.model_copy(update={"changes": CAMPAIGN.changes[-1:]})
    [event] = owed_events(shortened)
    assert (event.id, event.data["previous_status"]) == (f"{CAMPAIGN.id}:5", None)


def test_a_draft_owes_nothing() -> None:
    assert owed_events(a_campaign(new_id())) == []


def test_an_import_is_told_by_itself() -> None:
    report = ImportReport(new_id(), 5, 2, 1, 4, (), {})
    event = imported(CAMPAIGN, report, NOW)
    assert (event.type, event.subject_id, event.sequence) == ("lead.imported", report.import_id, 0)
    assert event.data == {
        "campaign_id": CAMPAIGN.id,
        "import_id": report.import_id,
        "total_rows": 12,
        "imported": 5,
        "duplicates": 3,
        "errors": 4,
    }
