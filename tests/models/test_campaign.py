"""A campaign's rules on their way in and to the database; nonsense is refused."""

from datetime import date, time
from typing import Any

import pytest
from bson import encode
from pydantic import ValidationError

from models.call import CallStatus
from models.campaign import Campaign, CampaignRules, CampaignStatus, Outcome, Window, outcome_of, zone_of
from models.conversation import AnsweredBy
from models.document import new_id
from tests.documents import DATES


def test_a_campaign_survives_the_way_there_and_back() -> None:
    rules = CampaignRules(
        time_zone="Asia/Kolkata",
        starts_on=date(2026, 2, 5),
        starts_at=time(9, 30),
        ends_on=date(2026, 2, 6),
        holidays=(date(2026, 2, 14),),
    )
    campaign = Campaign(
        **DATES, organization_id=new_id(), user_id=new_id(), name="February", agent_id=new_id(), from_phone="+15550001",
        rules=rules,
    )  # fmt: skip
    stored = campaign.to_mongo()
    assert encode(stored)
    assert stored["rules"]["startsOn"] == "2026-02-05"
    assert stored["rules"]["windows"][0]["opens"] == "09:00"
    assert Campaign.from_mongo(stored) == campaign
    assert campaign.status is CampaignStatus.DRAFT


@pytest.mark.parametrize(
    "rules",
    [
        {"timeZone": "Mars/Olympus_Mons"},
        {"timeZone": "Factory"},
        {"timeZone": ""},
        {"timeZone": None},
        {"windows": []},
        {"windows": [{"days": [], "opens": "09:00", "closes": "18:00"}]},
        {"windows": [{"days": ["monday", "monday"], "opens": "09:00", "closes": "18:00"}]},
        {"windows": [{"days": ["someday"], "opens": "09:00", "closes": "18:00"}]},
        {"windows": [{"days": ["monday"], "opens": "09:00", "closes": "09:00"}]},
        {"windows": [{"days": ["monday"], "opens": "09:00", "closes": "24:00"}]},
        {"windows": [{"days": ["monday"], "opens": "09:00:30", "closes": "18:00"}]},
        {"windows": [{"days": ["monday"], "opens": 32400, "closes": "18:00"}]},
        {"windows": [{"days": ["monday"], "opens": "32400", "closes": "18:00"}]},
        {"startsOn": "2026-02-06", "endsOn": "2026-02-05"},
        {"startsOn": "2026-02-30"},
        {"endsOn": "9999-12-31"},
        {"endsOn": 1770249600},
        {"startsOn": "2026-02-06T09:00:00Z"},
        {"holidays": ["2026-02-05", "2026-02-05"]},
        {"pacing": {"maxConcurrency": 0}},
        {"pacing": {"callsPerMinute": 0}},
        {"pacing": {"batchSize": 0}},
        {"pacing": {"dailyCap": 0}},
        {"retries": {"maxAttempts": 0}},
        {"retries": {"busy": {"maxAttempts": 21}}},
        {"retries": {"busy": {"delayS": 1}}},
        {"retries": {"busy": {"backoff": 0.5}}},
        {"retries": {"busy": {"backoff": float("nan")}}},
        {"breaker": {"failureShare": 0}},
        {"breaker": {"failureShare": 1.5}},
        {"breaker": {"minCalls": 0}},
    ],
    ids=str,
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CampaignRules.model_validate(rules)


def test_a_time_of_day_has_no_seconds_and_no_zone() -> None:
    with pytest.raises(ValidationError, match="hours and minutes only"):
        Window(days=("monday",), opens=time(9, 0, 1), closes=time(18))


@pytest.mark.parametrize("name", [None, "", "America", "../etc/passwd", "/etc/passwd", "Factory", "a\0b", "x" * 400])
def test_what_is_no_zone_has_no_time(name: str | None) -> None:
    assert zone_of(name) is None


def test_a_zone_is_found_by_its_name() -> None:
    zone = zone_of("Asia/Kolkata")
    assert zone is not None
    assert zone.key == "Asia/Kolkata"


@pytest.mark.parametrize(
    ("status", "answered_by", "outcome"),
    [
        (CallStatus.INITIATED, None, None),
        (CallStatus.RINGING, None, None),
        (CallStatus.IN_PROGRESS, "human", None),
        (CallStatus.COMPLETED, None, Outcome.ANSWERED),
        (CallStatus.COMPLETED, "human", Outcome.ANSWERED),
        (CallStatus.COMPLETED, "uncertain", Outcome.ANSWERED),
        (CallStatus.COMPLETED, "machine-ivr", Outcome.MACHINE),
        (CallStatus.COMPLETED, "machine-voicemail", Outcome.MACHINE),
        (CallStatus.COMPLETED, "unavailable", Outcome.NO_ANSWER),
        (CallStatus.BUSY, None, Outcome.BUSY),
        (CallStatus.NO_ANSWER, None, Outcome.NO_ANSWER),
        (CallStatus.FAILED, None, Outcome.FAILED),
        (CallStatus.CANCELED, None, Outcome.CANCELED),
    ],
)
def test_what_a_call_came_to(status: CallStatus, answered_by: AnsweredBy | None, outcome: Outcome | None) -> None:
    assert outcome_of(status, answered_by) is outcome


def test_only_completed_and_stopped_are_final() -> None:
    assert {status for status in CampaignStatus if status.is_final} == {
        CampaignStatus.COMPLETED,
        CampaignStatus.STOPPED,
    }
