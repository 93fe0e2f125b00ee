"""How many scheduled calls are dialled at the same time, as there is room for them or not."""

from datetime import datetime, timedelta

import pytest

from services.schedule_pace import AGAIN_S, FEWEST_AT_HAND, FORGOTTEN, PATIENCE, PAUSE, Pace
from services.schedule_plan import NotYet, Result
from tests.documents import NOW

FULL = NotYet("Every line is busy", 5.0)
DONE = Result("done")
TICK = timedelta(milliseconds=1)


def room(pace: Pace, now: datetime) -> int:
    """How many may be dialled now; they come to nothing that anybody knows of."""
    begun = 0
    while pace.may_begin(now):
        pace.begun()
        begun += 1
    for _ in range(begun):
        pace.ended(None, now)
    return begun


def one(pace: Pace, came_to: Result | NotYet | None, now: datetime = NOW) -> None:
    """Dial one, whether it may be or not."""
    pace.begun()
    pace.ended(came_to, now)


def test_at_first_all_it_can() -> None:
    assert room(Pace(at_once=8), NOW) == 8


def test_those_under_way_count() -> None:
    pace = Pace(at_once=3)
    for expected in (True, True, True, False):
        assert pace.may_begin(NOW) is expected
        pace.begun()


def test_a_refusal_is_followed_by_a_pause_and_then_half_as_many() -> None:
    pace = Pace(at_once=8)
    one(pace, FULL)
    assert not pace.may_begin(NOW + PAUSE - TICK)
    assert room(pace, NOW + PAUSE) == 4


def test_however_often_it_is_refused_one_is_tried_again() -> None:
    pace = Pace(at_once=8)
    for _ in range(100):
        one(pace, FULL)
    assert room(pace, NOW + PAUSE) == 1


def test_calls_that_are_placed_bring_it_back_by_one_for_each_round() -> None:
    pace = Pace(at_once=8)
    one(pace, FULL)
    for _ in range(4):
        one(pace, DONE)
    assert room(pace, NOW + PAUSE) == 4
    one(pace, DONE)
    assert room(pace, NOW + PAUSE) == 5


def test_it_never_comes_back_to_more_than_it_can() -> None:
    pace = Pace(at_once=4)
    one(pace, FULL)
    for _ in range(100):
        one(pace, DONE)
    assert room(pace, NOW + PAUSE) == 4


@pytest.mark.parametrize("came_to", [None, Result("failed", "The agent is inactive"), Result("missed", "Too late")])
def test_what_was_neither_placed_nor_refused_for_the_moment_says_nothing_of_room(came_to: Result | None) -> None:
    pace = Pace(at_once=8)
    one(pace, came_to)
    assert room(pace, NOW) == 8
    one(pace, FULL)
    for _ in range(20):
        one(pace, came_to)
    assert room(pace, NOW + PAUSE) == 4


def test_when_nothing_was_refused_for_long_there_is_room_again() -> None:
    pace = Pace(at_once=8)
    for _ in range(3):
        one(pace, FULL)
    assert room(pace, NOW + FORGOTTEN - TICK) == 1
    assert room(pace, NOW + FORGOTTEN) == 8
    one(pace, FULL, NOW + FORGOTTEN)
    assert room(pace, NOW + FORGOTTEN + PAUSE) == 4


def test_where_there_is_room_everybody_waits_for_a_turn() -> None:
    pace = Pace()
    assert pace.waited_for(NOW - timedelta(hours=1), NOW) is None
    assert pace.at_hand(1000, NOW) == 1000


def test_where_there_is_none_nobody_waits_for_long_and_all_learn_why() -> None:
    pace = Pace()
    one(pace, FULL)
    assert pace.waited_for(NOW, NOW + PATIENCE - TICK) is None
    assert pace.waited_for(NOW, NOW + PATIENCE) == NotYet("Every line is busy", AGAIN_S)
    assert pace.waited_for(NOW, NOW + FORGOTTEN) is None


def test_where_there_is_none_only_some_are_taken_from_the_store() -> None:
    pace = Pace(at_once=64)
    one(pace, FULL)
    assert pace.at_hand(1000, NOW) == 4 * 32
    assert pace.at_hand(50, NOW) == 50
    for _ in range(10):
        one(pace, FULL)
    assert pace.at_hand(1000, NOW) == FEWEST_AT_HAND
    assert pace.at_hand(1000, NOW + FORGOTTEN) == 1000
