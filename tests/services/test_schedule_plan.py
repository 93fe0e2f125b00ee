"""What becomes of a schedule, step by step, without a clock or a database."""

from datetime import timedelta
from typing import Any

import pytest

from models.document import new_id
from models.schedule import Schedule
from services.schedule_plan import (
    LEASE_S,
    NotYet,
    Result,
    cancelled,
    claimed,
    is_late,
    occurrence,
    put_off,
    settled,
    too_late,
)
from tests.schedules import DUE, a_schedule

DONE = Result("done", call_id=new_id())
MINUTE = timedelta(minutes=1)


def daily(**fields: Any) -> Schedule:
    return a_schedule(new_id(), **({"rrule": "FREQ=DAILY"} | fields))


def test_a_claim_keeps_the_call_and_its_revision_is_new() -> None:
    schedule = a_schedule(new_id())
    taken = claimed(schedule, DUE)
    assert (taken.status, taken.coming) == ("firing", schedule.coming)
    assert taken.wake_at == DUE + timedelta(seconds=LEASE_S)
    assert taken.revision != schedule.revision


def test_a_single_call_is_over_as_its_one_time_was() -> None:
    taken = claimed(a_schedule(new_id()), DUE)
    for result in (DONE, Result("missed", "late"), Result("failed", "refused")):
        after = settled(taken, result)
        assert (after.status, after.reason, after.coming, after.wake_at) == (result.outcome, result.reason, None, None)


def test_a_recurring_one_goes_on_whatever_became_of_a_time() -> None:
    taken = claimed(daily(), DUE)
    for result in (DONE, Result("missed", "late"), Result("failed", "no credit")):
        after = settled(taken, result)
        assert (after.status, after.reason) == ("scheduled", result.reason)
        assert after.coming is not None
        assert taken.coming is not None
        assert after.coming.due_at == after.wake_at == DUE + timedelta(days=1)
        assert after.coming.call_id != taken.coming.call_id


def test_it_ends_with_its_rule_and_when_there_is_no_use() -> None:
    assert settled(claimed(daily(rrule="FREQ=DAILY;COUNT=1"), DUE), DONE).status == "done"
    ended = settled(claimed(daily(), DUE), Result("failed", "Agent not found", ends=True))
    assert (ended.status, ended.reason, ended.wake_at) == ("failed", "Agent not found", None)


def test_after_a_long_absence_the_latest_time_counts_and_the_others_are_counted() -> None:
    after_days = DUE + timedelta(days=3, minutes=2)
    taken = claimed(daily(), after_days)
    assert taken.coming is not None
    assert (taken.coming.due_at, taken.coming.skipped, taken.coming.number) == (DUE + timedelta(days=3), 3, 4)
    assert not is_late(taken, after_days)
    assert occurrence(taken, DONE, after_days).skipped == 3
    after = settled(taken, DONE)
    assert after.coming is not None
    assert (after.coming.due_at, after.coming.skipped) == (DUE + timedelta(days=4), 0)


def test_a_time_that_somebody_was_dialling_is_not_passed_over() -> None:
    taken = claimed(daily(), DUE)
    assert claimed(taken, DUE + timedelta(days=3)).coming == taken.coming


def test_late_is_later_than_its_minutes() -> None:
    schedule = a_schedule(new_id(), late_minutes=5)
    assert not is_late(schedule, DUE + 5 * MINUTE)
    assert is_late(schedule, DUE + 5 * MINUTE + timedelta(milliseconds=1))
    assert too_late(schedule).reason == "It could not be placed within 5 minutes of its time"


def test_what_is_put_off_comes_again_and_at_the_end_of_its_time_says_why() -> None:
    taken = claimed(a_schedule(new_id(), late_minutes=1), DUE)
    later = put_off(taken, NotYet("Every line is busy", 5), DUE)
    assert (later.status, later.wake_at) == ("scheduled", DUE + timedelta(seconds=5))
    assert later.coming is not None
    assert taken.coming is not None
    assert later.coming.call_id == taken.coming.call_id
    last = put_off(taken, NotYet("Every line is busy", 50), DUE + timedelta(seconds=58))
    assert last.wake_at is not None
    assert is_late(last, last.wake_at)
    assert (too_late(last).reason or "").endswith("1 minute of its time: Every line is busy")


def test_what_is_cancelled_never_wakes() -> None:
    gone = cancelled(daily())
    assert (gone.status, gone.coming, gone.wake_at) == ("cancelled", None, None)


@pytest.mark.parametrize("fields", [{"timezone": "Mars/Olympus"}, {"rrule": "FREQ=DAILY;BYHOUR=99"}])
def test_a_rule_that_is_not_known_any_more_ends_after_its_coming_time(fields: dict[str, Any]) -> None:
    taken = claimed(daily(**fields), DUE + timedelta(days=2))
    assert taken.coming is not None
    assert taken.coming.due_at == DUE
    after = settled(taken, DONE)
    assert (after.status, after.reason) == ("failed", "Its rule or time zone is not known any more")
