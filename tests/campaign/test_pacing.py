"""How fast a campaign may dial: by the minute, by the day, in batches."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from actors.campaign.pacing import Pace
from models.campaign import Pacing

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
SECOND = timedelta(seconds=1)


def dial(pace: Pace, pacing: Pacing, how_many: int, now: datetime) -> None:
    for _ in range(how_many):
        pace.dialled(pacing, now)


def test_no_more_than_a_batch_at_once() -> None:
    pacing = Pacing(calls_per_minute=60, batch_size=10)
    assert Pace(LONDON, NOON).allowance(pacing, NOON) == 10


def test_the_next_batch_comes_when_this_ones_share_of_the_minute_is_over() -> None:
    pacing, pace = Pacing(calls_per_minute=60, batch_size=10), Pace(LONDON, NOON)
    dial(pace, pacing, 10, NOON)
    assert pace.free_at(pacing, NOON) == NOON + 10 * SECOND
    dial(pace, pacing, 1, NOON + 30 * SECOND)
    assert pace.free_at(pacing, NOON + 30 * SECOND) == NOON + 31 * SECOND


def test_a_minute_never_has_more_than_its_dials() -> None:
    pacing, pace = Pacing(calls_per_minute=6, batch_size=4), Pace(LONDON, NOON)
    dial(pace, pacing, 4, NOON)
    late = NOON + 40 * SECOND
    assert pace.free_at(pacing, NOON) == late
    assert pace.allowance(pacing, late) == 2
    dial(pace, pacing, 2, late)
    assert pace.allowance(pacing, late) == 0
    assert pace.free_at(pacing, late) == NOON + 60 * SECOND
    assert pace.allowance(pacing, NOON + 60 * SECOND) == 4


def test_dials_of_before_count_as_long_as_their_minute_lasts() -> None:
    pacing = Pacing(calls_per_minute=2)
    pace = Pace(LONDON, NOON, lately=(NOON - SECOND, NOON - 50 * SECOND))
    assert pace.allowance(pacing, NOON) == 0
    assert pace.free_at(pacing, NOON) == NOON + 10 * SECOND


def test_a_day_ends_at_midnight_on_the_campaigns_own_calendar() -> None:
    pacing, kolkata = Pacing(daily_cap=3), ZoneInfo("Asia/Kolkata")
    pace = Pace(kolkata, NOON, today=2)
    dial(pace, pacing, 1, NOON)
    midnight = datetime(2026, 1, 15, 18, 30, tzinfo=UTC)
    assert pace.free_at(pacing, NOON + 30 * SECOND) == midnight
    assert pace.allowance(pacing, midnight - SECOND) == 0
    assert pace.allowance(pacing, midnight) == 3


def test_a_dial_that_was_not_placed_is_given_back_to_its_day_only() -> None:
    pacing, late = Pacing(daily_cap=1), datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC)
    pace = Pace(LONDON, late)
    dial(pace, pacing, 1, late)
    pace.not_dialled(late, late)
    assert pace.allowance(pacing, late) == 1
    dial(pace, pacing, 1, late)
    tomorrow = late + 2 * SECOND
    dial(pace, pacing, 1, tomorrow)
    pace.not_dialled(late, tomorrow)
    assert pace.allowance(pacing, tomorrow) == 0


def test_a_new_calendar_does_not_forget_the_dials_of_its_day() -> None:
    pacing, pace = Pacing(daily_cap=2), Pace(LONDON, NOON, today=2)
    pace.moved(ZoneInfo("Pacific/Kiritimati"), NOON)
    assert pace.allowance(pacing, NOON) == 0
    assert pace.free_at(pacing, NOON) == datetime(2026, 1, 16, 10, tzinfo=UTC)
