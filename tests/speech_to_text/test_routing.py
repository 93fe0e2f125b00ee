"""Which worker is asked."""

import pytest

from actors.speech_to_text.routing import FIRST_REST_S, LONGEST_REST_S, PATIENCE_S, Routing
from providers.roles import Transcript


def answer(backlog_ms: float, *, decode_ms: float = 0.0) -> Transcript:
    return Transcript("yes", 0.9, decode_ms=decode_ms, backlog_ms=backlog_ms)


def test_callers_start_at_different_workers_and_stay() -> None:
    assert [Routing(3, first=first).choose(0.0) for first in range(4)] == [0, 1, 2, 0]
    routing = Routing(3, first=1)
    routing.told(1, answer(40.0), 0.0)
    assert routing.choose(0.0) == 1


def test_a_clearly_shorter_queue_is_worth_moving_to() -> None:
    routing = Routing(2)
    routing.told(0, answer(500.0), 0.0)
    routing.told(1, answer(400.0), 0.0)
    assert routing.choose(0.0) == 0
    routing.told(1, answer(100.0), 0.0)
    assert routing.choose(0.0) == 1


def test_a_backlog_is_worked_off_with_time() -> None:
    routing = Routing(2)
    routing.told(0, answer(500.0), 0.0)
    assert routing.choose(0.49) == 0


def test_requests_of_ours_count_until_they_return() -> None:
    routing = Routing(2)
    for _ in range(4):
        routing.sent(0)
    assert routing.choose(0.0) == 1
    routing = Routing(2)
    routing.sent(0)
    routing.returned(0)
    assert routing.choose(0.0) == 0


def test_one_that_failed_rests_a_while_and_longer_each_time() -> None:
    routing = Routing(2)
    routing.failed(0, 0.0)
    assert routing.choose(0.0) == 1
    routing.failed(1, FIRST_REST_S)
    assert routing.choose(FIRST_REST_S) == 0
    for _ in range(9):
        routing.failed(0, 1.0)
    assert routing.choose(1.0 + LONGEST_REST_S - 0.1) == 1
    routing.failed(1, 1.0 + LONGEST_REST_S)
    assert routing.choose(1.0 + LONGEST_REST_S) == 0


def test_one_that_rests_is_better_than_none() -> None:
    routing = Routing(2)
    routing.failed(0, 0.0)
    assert routing.choose(0.0, without={1}) == 0
    assert routing.choose(0.0, without={0, 1}) in (0, 1)


def test_the_same_words_are_asked_for_where_they_are_looked_for_already() -> None:
    routing = Routing(3)
    assert routing.choose(0.0, beside=2) == 2
    assert routing.choose(0.0, beside=2, without={2}) == 0


def test_patience_grows_with_the_backlog_and_what_answers_usually_take() -> None:
    routing = Routing(1)
    assert routing.patience_s(0) == PATIENCE_S
    for _ in range(50):
        routing.told(0, answer(100.0, decode_ms=200.0), 0.0)
    assert routing.patience_s(0) == pytest.approx(PATIENCE_S + 0.1 + 0.6, abs=0.01)


def test_few_requests_are_sent_twice() -> None:
    routing = Routing(2)
    assert [routing.hedge() for _ in range(5)] == [True, True, True, False, False]
    for _ in range(11):
        routing.told(0, answer(0.0), 0.0)
    assert [routing.hedge() for _ in range(2)] == [True, False]
