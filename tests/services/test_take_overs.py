from datetime import timedelta

from services.carriage import LATELY, MOST_LATELY, MOST_TAKE_OVERS, TakeOvers
from tests.documents import NOW


def test_what_kills_one_actor_after_the_other_meets_few() -> None:
    take_overs = TakeOvers()
    seconds = [NOW + timedelta(seconds=n) for n in range(MOST_LATELY + 1)]
    assert [take_overs.begin(now) for now in seconds] == [True] * MOST_LATELY + [False]


def test_a_refused_one_does_not_count() -> None:
    take_overs = TakeOvers()
    assert [take_overs.begin(NOW) for _ in range(MOST_LATELY + 5)].count(True) == MOST_LATELY
    assert take_overs.begin(NOW + LATELY)


def test_a_long_call_has_so_many_and_no_more() -> None:
    take_overs = TakeOvers()
    apart = [NOW + timedelta(hours=n) for n in range(MOST_TAKE_OVERS + 1)]
    assert [take_overs.begin(now) for now in apart] == [True] * MOST_TAKE_OVERS + [False]
