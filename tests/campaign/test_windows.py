"""Windows by the clock on the wall, where clocks are put forward and back, days are skipped, and on holidays."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from actors.campaign.windows import Closed, Hours, Open
from actors.campaign.zones import instants, start_of
from models.campaign import WEEKDAYS, CampaignRules, Refusal, Window
from tests.campaign.rulebook import is_open
from tests.campaign.scenarios import FIRST_DAYS, ZONES, a_window

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(opens: str, closes: str, *days: str) -> Window:
    return Window.model_validate({"days": days or WEEKDAYS, "opens": opens, "closes": closes})


def hours(*windows: Window, holidays: tuple[date, ...] = (), ends: str | None = None) -> Hours:
    return Hours(CampaignRules(windows=windows, holidays=holidays), utc(ends) if ends else None)


def test_a_window_is_open_from_its_first_moment_and_before_its_last() -> None:
    office = hours(window("09:00", "18:00"))
    kolkata = ZoneInfo("Asia/Kolkata")
    assert office.at(kolkata, utc("2026-01-15T03:29:59")) == Closed(Refusal.OUTSIDE_WINDOW, utc("2026-01-15T03:30"))
    assert office.at(kolkata, utc("2026-01-15T03:30")) == Open(utc("2026-01-15T12:30"))
    assert office.at(kolkata, utc("2026-01-15T12:30")) == Closed(Refusal.OUTSIDE_WINDOW, utc("2026-01-16T03:30"))


def test_after_friday_comes_monday() -> None:
    office = hours(window("09:00", "18:00", *WEEKDAYS[:5]))
    assert office.opening(NEW_YORK, utc("2026-01-16T23:30")) == utc("2026-01-19T14:00")


def test_an_overnight_window_belongs_to_the_day_it_opens_on() -> None:
    night = hours(window("22:00", "02:00", "friday"))
    assert night.at(NEW_YORK, utc("2026-01-17T06:30")) == Open(utc("2026-01-17T07:00"))
    assert isinstance(night.at(NEW_YORK, utc("2026-01-16T06:30")), Closed)
    assert night.opening(NEW_YORK, utc("2026-01-17T07:00")) == utc("2026-01-24T03:00")


def test_midnight_to_midnight_is_the_whole_day() -> None:
    day = hours(window("00:00", "00:00", "saturday"))
    assert day.at(NEW_YORK, utc("2026-01-17T05:00")) == Open(utc("2026-01-18T05:00"))
    assert isinstance(day.at(NEW_YORK, utc("2026-01-18T05:00")), Closed)


def test_of_two_windows_open_at_once_the_later_end_counts() -> None:
    both = hours(window("09:00", "12:00"), window("11:00", "15:00"))
    assert both.at(NEW_YORK, utc("2026-01-15T16:30")) == Open(utc("2026-01-15T20:00"))


def test_a_holiday_opens_nothing_and_ends_the_night_before_at_midnight() -> None:
    christmas = (date(2026, 12, 25),)
    night = hours(window("20:00", "03:00"), holidays=christmas)
    assert night.at(NEW_YORK, utc("2026-12-25T04:30")) == Open(utc("2026-12-25T05:00"))
    assert night.at(NEW_YORK, utc("2026-12-25T05:00")) == Closed(Refusal.HOLIDAY, utc("2026-12-27T01:00"))
    after = night.at(NEW_YORK, utc("2026-12-26T06:00"))
    assert after == Closed(Refusal.OUTSIDE_WINDOW, utc("2026-12-27T01:00")), "the night of a holiday went on after it"


def test_a_holiday_is_one_on_the_contacts_own_calendar() -> None:
    new_year = hours(window("00:00", "00:00"), holidays=(date(2027, 1, 1),))
    now = utc("2026-12-31T12:00")
    assert new_year.at(ZoneInfo("Pacific/Kiritimati"), now) == Closed(Refusal.HOLIDAY, utc("2027-01-01T10:00"))
    assert isinstance(new_year.at(NEW_YORK, now), Open)


def test_a_window_that_opens_at_a_time_the_clock_jumps_over_opens_with_the_jump() -> None:
    early = hours(window("02:30", "08:00"))
    assert early.opening(NEW_YORK, utc("2026-03-08T06:00")) == utc("2026-03-08T07:00")
    assert early.at(NEW_YORK, utc("2026-03-08T07:00")) == Open(utc("2026-03-08T12:00"))


def test_a_window_that_closes_at_a_time_the_clock_jumps_over_closes_with_the_jump() -> None:
    late = hours(window("23:00", "02:30"))
    assert late.at(NEW_YORK, utc("2026-03-08T06:59")) == Open(utc("2026-03-08T07:00"))


def test_a_window_within_the_jump_does_not_open_that_day() -> None:
    assert hours(window("02:10", "02:50")).opening(NEW_YORK, utc("2026-03-08T06:00")) == utc("2026-03-09T06:10")


def test_a_window_whose_times_come_twice_opens_twice() -> None:
    brief = hours(window("01:00", "01:30"))
    first, between = utc("2026-11-01T05:10"), utc("2026-11-01T05:40")
    assert brief.at(NEW_YORK, first) == Open(utc("2026-11-01T05:30"))
    assert brief.at(NEW_YORK, between) == Closed(Refusal.OUTSIDE_WINDOW, utc("2026-11-01T06:00"))
    assert brief.at(NEW_YORK, utc("2026-11-01T06:00")) == Open(utc("2026-11-01T06:30"))


def test_what_is_left_of_a_night_opens_again_when_the_clock_is_put_back() -> None:
    between = utc("2026-11-01T05:40")
    night = window("22:00", "01:30", "saturday")
    assert hours(night).opening(NEW_YORK, between) == utc("2026-11-01T06:00")
    sunday = window("01:45", "02:30", "sunday")
    assert hours(night, sunday).opening(NEW_YORK, between) == utc("2026-11-01T05:45"), "the next day's window is sooner"


def test_a_window_over_the_hour_that_comes_twice_is_an_hour_longer() -> None:
    night = hours(window("00:00", "04:00"))
    assert night.at(NEW_YORK, utc("2026-11-01T04:00")) == Open(utc("2026-11-01T09:00"))


def test_nothing_opens_at_the_end_of_the_campaign_or_after() -> None:
    office = hours(window("09:00", "18:00"), ends="2026-01-15T20:00")
    assert office.at(NEW_YORK, utc("2026-01-15T19:00")) == Open(utc("2026-01-15T20:00"))
    assert office.at(NEW_YORK, utc("2026-01-15T20:00")) == Closed(Refusal.OUTSIDE_WINDOW, None)


def test_what_does_not_open_within_a_year_never_opens() -> None:
    mondays = tuple(date(2026, 1, 19) + timedelta(weeks=week) for week in range(60))
    assert (
        hours(window("09:00", "18:00", "monday"), holidays=mondays).opening(NEW_YORK, utc("2026-01-15T12:00")) is None
    )


@pytest.mark.parametrize("first", FIRST_DAYS, ids=str)
def test_every_opening_and_closing_is_where_a_clock_on_the_wall_says(first: date) -> None:
    chance = random.Random(first.toordinal())
    windows = tuple(a_window(chance) for _ in range(2))
    rules = CampaignRules(windows=windows, holidays=(first + timedelta(days=1),))
    zone = ZoneInfo(chance.choice(ZONES[2:]))
    made, since = Hours(rules), datetime.combine(first, time(12), UTC)
    shown = [is_open(rules, zone.key, since + minute * MINUTE) for minute in range(36 * 60)]
    for minute in range(0, len(shown), 7):
        now = since + minute * MINUTE
        changes = next((at for at in range(minute, len(shown)) if shown[at] != shown[minute]), None)
        found = made.at(zone, now)
        assert isinstance(found, Open) == shown[minute]
        if changes is not None and isinstance(found, Closed):
            assert found.opens == since + changes * MINUTE
        if isinstance(found, Open):
            last = int((found.until - now) / MINUTE)
            assert all(shown[minute : minute + last])


def test_a_day_begins_where_its_midnight_is_or_would_have_been() -> None:
    assert start_of(NEW_YORK, date(2026, 3, 8)) == utc("2026-03-08T05:00")
    havana, beirut, apia = ZoneInfo("America/Havana"), ZoneInfo("Asia/Beirut"), ZoneInfo("Pacific/Apia")
    assert start_of(havana, date(2026, 3, 8)) == utc("2026-03-08T05:00"), "there is no midnight; it begins at 01:00"
    assert start_of(beirut, date(2026, 3, 29)) == utc("2026-03-28T22:00")
    assert start_of(apia, date(2011, 12, 30)) == start_of(apia, date(2011, 12, 31)) == utc("2011-12-30T10:00")
    assert start_of(NEW_YORK, date(2026, 1, 15), time(9, 30)) == utc("2026-01-15T14:30")


def test_wall_times_without_a_change_are_one_span() -> None:
    day = date(2026, 1, 15)
    spans = instants(NEW_YORK, datetime.combine(day, time(9)), datetime.combine(day, time(18)))
    assert [(span.start, span.end) for span in spans] == [(utc("2026-01-15T14:00"), utc("2026-01-15T23:00"))]
