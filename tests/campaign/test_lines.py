"""Room for calls, as a campaign learns it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from actors.campaign.lines import PROBE, Lines

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_there_is_room_for_everybody_until_there_was_none() -> None:
    lines = Lines()
    assert lines.most(40, NOON) == 40
    assert lines.free_at(39, NOON) == NOON


def test_after_a_refusal_there_is_room_for_those_who_had_it_and_slowly_for_more() -> None:
    lines = Lines()
    lines.refused(3, NOON)
    assert [lines.most(40, NOON + step * PROBE) for step in range(7)] == [3, 4, 6, 10, 18, 34, 40]
    assert lines.most(40, NOON + PROBE - SECOND) == 3
    assert lines.free_at(2, NOON) == NOON
    assert [lines.free_at(live, NOON) - NOON for live in (3, 4, 5, 6)] == [PROBE, 2 * PROBE, 2 * PROBE, 3 * PROBE]


def test_one_call_is_always_worth_trying() -> None:
    lines = Lines()
    lines.refused(0, NOON)
    assert lines.most(8, NOON) == 1
    assert lines.free_at(0, NOON) == NOON


def test_the_last_refusal_counts() -> None:
    lines = Lines()
    lines.refused(7, NOON)
    lines.refused(1, NOON + SECOND)
    assert lines.most(8, NOON + PROBE) == 1
    assert lines.most(8, NOON + SECOND + PROBE) == 2


@given(carried=st.integers(0, 1000), live=st.integers(0, 999), later=st.integers(0, 10_000_000))
def test_it_is_free_exactly_when_there_may_be_room(carried: int, live: int, later: int) -> None:
    lines, now = Lines(), NOON + later * SECOND
    lines.refused(carried, NOON)
    free = lines.free_at(live, now)
    assert lines.most(1000, free) > live
    assert free == now or lines.most(1000, free - SECOND) <= live
