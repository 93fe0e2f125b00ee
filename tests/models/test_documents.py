"""Documents on their way to the database and to the wire."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest

from models.call import Call, CallStatus, CostBreakdown
from models.document import as_iso, as_utc, new_id
from models.money import divide_half_even, to_credits
from tests.documents import a_call, a_turn


def test_a_document_survives_the_way_there_and_back() -> None:
    call = a_call(new_id(), turns=[a_turn(0)], metadata={"a": [1, None]})
    stored = call.to_mongo()
    assert {"_id", "organizationId", "sessionId", "agentConfig", "createdAt"} <= stored.keys()
    assert Call.from_mongo(stored) == call


def test_times_are_shown_in_utc_with_milliseconds() -> None:
    moment = datetime(2024, 1, 15, 16, 0, 5, 123_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert as_iso(moment) == "2024-01-15T10:30:05.123Z"
    assert as_utc(moment.replace(tzinfo=None)).tzinfo is UTC


def test_every_status_but_the_last_has_one_after_it() -> None:
    order = [CallStatus.INITIATED, CallStatus.RINGING, CallStatus.IN_PROGRESS, CallStatus.COMPLETED]
    assert all(before.rank < after.rank for before, after in itertools.pairwise(order))
    assert {status for status in CallStatus if not status.is_final} == set(order[:3])


@pytest.mark.parametrize(
    ("numerator", "quotient"), [(0, 0), (5, 0), (15, 2), (25, 2), (26, 3), (-5, 0), (-15, -2), (-16, -2)]
)
def test_a_half_is_rounded_to_even(numerator: int, quotient: int) -> None:
    assert divide_half_even(numerator, 10) == quotient


def test_credits_are_exact_to_the_micro() -> None:
    cost = CostBreakdown(stt=22_000, llm=45_000, tts=200, telephony=30_000)
    assert to_credits(cost.total) == 0.0972
