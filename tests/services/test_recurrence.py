"""Which moments local times are, and which times rules give."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from models.errors import Invalid
from services.recurrence import Moment, checked_rule, first, following, instant, local_time, zone_of

BERLIN, NEW_YORK, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("UTC")


def times(start: str, rule: str, zone: ZoneInfo = UTC_ZONE, count: int = 5) -> list[str]:
    """The first moments of a rule, in UTC."""
    begun = first(local_time(start), zone, checked_rule(rule))
    if begun is None:
        return []
    return [str(each.at)[:16] for each in [begun, *islice(following(begun, zone, checked_rule(rule)), count - 1)]]


def locals_of(start: str, rule: str, zone: ZoneInfo, count: int) -> list[str]:
    """The same, as clocks there show them."""
    return [
        str(datetime.fromisoformat(each).replace(tzinfo=UTC).astimezone(zone))[:16]
        for each in times(start, rule, zone, count)
    ]


class TestLocalTimes:
    @pytest.mark.parametrize(
        ("zone", "local", "utc"),
        [
            ("Asia/Kolkata", "2026-01-15T09:00", "2026-01-15 03:30:00"),
            ("Europe/Berlin", "2026-07-01T09:00", "2026-07-01 07:00:00"),
            # In the gap: the first moment after it, wherever in it.
            ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29 01:00:00"),
            ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29 01:00:00"),
            ("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29 01:00:00"),
            ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29 01:00:00"),
            ("America/New_York", "2026-03-08T02:30", "2026-03-08 07:00:00"),
            ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03 15:30:00"),  # half an hour
            ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30 10:00:00"),  # a whole day
            # Twice: the first.
            ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25 00:30:00"),
            ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25 02:00:00"),
            ("America/New_York", "2026-11-01T01:30", "2026-11-01 05:30:00"),
        ],
    )
    def test_a_local_time_is_one_moment(self, zone: str, local: str, utc: str) -> None:
        assert str(instant(local_time(local), zone_of(zone)))[:19] == utc

    @settings(max_examples=300, deadline=None)
    @given(
        st.integers(0, 35 * 366 * 86_400).map(
            lambda seconds: local_time("2000-01-01T00:00") + timedelta(seconds=seconds)
        ),
        st.sampled_from(["Europe/Berlin", "America/St_Johns", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Gaza"]),
        st.integers(0, 7200),
    )
    def test_later_local_times_are_never_earlier(self, local: datetime, name: str, seconds: int) -> None:
        zone = ZoneInfo(name)
        assert instant(local, zone) <= instant(local + timedelta(seconds=seconds), zone)

    @pytest.mark.parametrize("text", ["", "2026-01-15", "2026-01-15T09:00Z", "2026-01-15T09:00+05:30", "soon", "T"])
    def test_what_is_no_local_time_is_refused(self, text: str) -> None:
        with pytest.raises(Invalid):
            local_time(text)

    @pytest.mark.parametrize("name", ["", "Europe", "Mars/Olympus", "../etc/passwd", "IST+5", "/usr/share", "\0"])
    def test_what_is_no_zone_is_refused(self, name: str) -> None:
        with pytest.raises(Invalid):
            zone_of(name)


class TestRules:
    def test_nine_o_clock_stays_nine_o_clock(self) -> None:
        spring = times("2026-03-27T09:00", "FREQ=DAILY", BERLIN, 4)
        assert spring == ["2026-03-27 08:00", "2026-03-28 08:00", "2026-03-29 07:00", "2026-03-30 07:00"]
        autumn = times("2026-10-24T09:00", "FREQ=DAILY", BERLIN, 3)
        assert autumn == ["2026-10-24 07:00", "2026-10-25 08:00", "2026-10-26 08:00"]

    def test_a_time_in_the_gap_moves_for_that_day_only(self) -> None:
        found = locals_of("2026-03-28T02:30", "FREQ=DAILY", BERLIN, 3)
        assert found == ["2026-03-28 02:30", "2026-03-29 03:00", "2026-03-30 02:30"]

    def test_a_time_that_is_twice_is_called_at_once(self) -> None:
        assert times("2026-10-24T02:30", "FREQ=DAILY", BERLIN, 3)[1:] == ["2026-10-25 00:30", "2026-10-26 01:30"]

    def test_what_falls_into_the_gap_is_one_time(self) -> None:
        found = times("2026-03-08T01:50", "FREQ=MINUTELY;INTERVAL=5", NEW_YORK, 4)
        assert found == ["2026-03-08 06:50", "2026-03-08 06:55", "2026-03-08 07:00", "2026-03-08 07:05"]

    def test_months_without_the_day_are_left_out(self) -> None:
        found = times("2026-01-31T09:00", "FREQ=MONTHLY")
        assert [each[5:10] for each in found] == ["01-31", "03-31", "05-31", "07-31", "08-31"]
        ends = times("2026-01-31T09:00", "FREQ=MONTHLY;BYMONTHDAY=-1")
        assert [each[5:10] for each in ends] == ["01-31", "02-28", "03-31", "04-30", "05-31"]

    def test_the_leap_day_comes_every_four_years(self) -> None:
        found = times("2028-02-29T09:00", "FREQ=YEARLY", count=3)
        assert [each[:10] for each in found] == ["2028-02-29", "2032-02-29", "2036-02-29"]

    def test_the_last_working_day_of_a_month(self) -> None:
        found = times("2026-01-01T09:00", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", count=3)
        assert [each[5:10] for each in found] == ["01-30", "02-27", "03-31"]

    def test_every_other_week_keeps_its_weeks_from_time_to_time(self) -> None:
        found = times("2026-01-05T09:00", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,MO", count=5)
        assert [each[5:10] for each in found] == ["01-05", "01-07", "01-19", "01-21", "02-02"]

    @pytest.mark.parametrize(
        "rule",
        [
            "FREQ=DAILY;INTERVAL=3;BYDAY=MO,TH",
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,TU;WKST=SU",
            "FREQ=MONTHLY;INTERVAL=5;BYDAY=2FR",
            "FREQ=YEARLY;BYMONTH=3,9;BYDAY=-1SU",
            "FREQ=HOURLY;INTERVAL=7;BYMINUTE=10,40",
            "FREQ=MINUTELY;INTERVAL=35",
            "FREQ=WEEKLY;BYDAY=MO;COUNT=7",
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        ],
    )
    def test_going_on_from_any_time_gives_the_same_times(self, rule: str) -> None:
        """A schedule knows its last time only, not all since its first."""
        kept = checked_rule(rule)
        begun = first(local_time("2026-01-01T09:10"), BERLIN, kept)
        assert begun is not None
        at_once = [begun, *islice(following(begun, BERLIN, kept), 9)]
        one_by_one: list[Moment] = [begun]
        while len(one_by_one) < 10 and (then := next(following(one_by_one[-1], BERLIN, kept), None)) is not None:
            one_by_one.append(then)
        assert one_by_one == at_once

    def test_a_count_and_an_end_are_kept(self) -> None:
        assert len(times("2026-01-01T09:00", "FREQ=DAILY;COUNT=3")) == 3
        assert len(times("2026-01-01T09:00", "FREQ=DAILY;UNTIL=20260103T090000Z")) == 3
        assert len(times("2026-01-01T09:00", "FREQ=DAILY;UNTIL=20260103T085959Z")) == 2
        assert len(times("2026-01-01T09:00", "FREQ=DAILY;UNTIL=20260103")) == 3
        # 09:00 in Berlin is 08:00 UTC.
        assert len(times("2026-01-01T09:00", "FREQ=DAILY;UNTIL=20260103T080000Z", BERLIN)) == 3
        assert times("2026-01-01T09:00", "FREQ=DAILY;UNTIL=20251231") == []

    @pytest.mark.parametrize(
        "rule",
        [
            "",
            "every day",
            "FREQ=SECONDLY",
            "FREQ=SECONDLY;INTERVAL=3600",
            "FREQ=MINUTELY",
            "FREQ=MINUTELY;INTERVAL=4",
            "FREQ=HOURLY;BYMINUTE=0,3",
            "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,57",
            "FREQ=DAILY;BYSECOND=0,30",
            "FREQ=DAILY;COUNT=3;UNTIL=20260401",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=-1",
            "FREQ=DAILY;INTERVAL=1,2",
            "FREQ=DAILY;FREQ=WEEKLY",
            "FREQ=DAILY;BYHOUR=24",
            "FREQ=DAILY;BYMONTHDAY=0",
            "FREQ=DAILY;BYDAY=XX",
            "FREQ=DAILY;BYEASTER=0",
            "FREQ=DAILY;UNTIL=tomorrow",
            "FREQ=DAILY;UNTIL=20260230",
            "FREQ=MINUTELY;INTERVAL=5;BYSETPOS=2",
            "FREQ=DAILY\nEXDATE:20260101T090000",
            "INTERVAL=2",
        ],
    )
    def test_what_floods_or_cannot_be_read_is_refused(self, rule: str) -> None:
        with pytest.raises(Invalid) as caught:
            checked_rule(rule)
        assert caught.value.fields[0].field == "rrule"

    @pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY;INTERVAL=5"])
    def test_a_day_that_never_comes_is_not_looked_for_for_ever(self, frequency: str) -> None:
        began = datetime.now(UTC)
        assert times("2026-01-01T09:00", f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30") == []
        assert datetime.now(UTC) - began < timedelta(seconds=2)

    def test_times_are_looked_for_ten_years_ahead(self) -> None:
        assert len(times("2026-01-01T09:00", "FREQ=YEARLY;INTERVAL=9")) == 2
        assert len(times("2026-01-01T09:00", "FREQ=YEARLY;INTERVAL=11")) == 1

    def test_an_hour_that_an_interval_never_reaches_is_refused(self) -> None:
        with pytest.raises(Invalid):
            times("2026-01-01T09:00", "FREQ=HOURLY;INTERVAL=24;BYHOUR=10")

    def test_once_is_once(self) -> None:
        begun = first(local_time("2026-01-15T09:00"), BERLIN, None)
        assert begun is not None
        assert list(following(begun, BERLIN, None)) == []
