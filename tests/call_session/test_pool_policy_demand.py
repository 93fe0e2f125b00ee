"""How fast calls come, and when silence means death."""

import pytest

from actors.call_session.pool_demand import HALF_LIFE_S, Demand
from actors.call_session.pool_watch import LATE_S, LOOK_S, SILENT_S, TICK_S, TURNS, Punctuality, is_its_turn, is_zombie


def test_nothing_is_kept_for_calls_that_do_not_come() -> None:
    assert (Demand().rate(100.0), Demand().ahead(100.0)) == (0.0, 0)


def test_a_burst_shows_at_once_and_is_forgotten_slowly() -> None:
    demand = Demand()
    for n in range(10):
        demand.arrived(f"s{n}", 0.1 * n)
    rate = demand.rate(1.0)
    assert rate == pytest.approx(2.0, rel=0.01)
    assert demand.rate(0.9 + HALF_LIFE_S) == pytest.approx(1.0)
    assert demand.rate(0.9 + 10 * HALF_LIFE_S) == 0.0


def test_a_steady_stream_is_measured_as_it_is() -> None:
    demand = Demand()
    for n in range(100):
        demand.arrived(f"s{n}", n / 4)
    assert demand.rate(25.0) == pytest.approx(4.0, rel=0.06)


def test_a_call_that_asks_again_and_again_is_one_call() -> None:
    demand = Demand()
    for n in range(20):
        demand.arrived("s1", n * 0.2)
    assert demand.rate(4.0) == pytest.approx(0.2, rel=0.01)


def test_starts_are_smoothed() -> None:
    demand = Demand()
    demand.started(2.0)
    assert demand.start_s == 2.0
    demand.started(4.0)
    assert demand.start_s == pytest.approx(2.6)


def a_watcher(until: float) -> Punctuality:
    """One that has ticked as it should."""
    watcher = Punctuality(0.0)
    for n in range(1, round(until / TICK_S) + 1):
        watcher.tick(n * TICK_S)
    return watcher


def test_silence_is_death_to_a_watcher_that_was_awake() -> None:
    watcher = a_watcher(6.0)
    assert is_zombie(6.0 - SILENT_S, 6.0, watcher)
    assert not is_zombie(6.0 - SILENT_S + 0.2, 6.0, watcher)


def test_a_frozen_actor_is_found_within_five_seconds() -> None:
    assert LOOK_S + TICK_S + SILENT_S < 5.0


def test_every_actor_has_its_turn_once_a_round_and_not_all_have_the_same() -> None:
    turns = {f"a{n}": [tick for tick in range(2 * TURNS) if is_its_turn(f"a{n}", tick)] for n in range(400)}
    assert all(second - first == TURNS for first, second in turns.values())
    busiest = max(sum(first == tick for first, _ in turns.values()) for tick in range(TURNS))
    assert busiest < 3 * 400 / TURNS


def test_a_watcher_that_was_late_itself_judges_nobody() -> None:
    watcher = a_watcher(4.0)
    watcher.tick(4.0 + TICK_S + LATE_S + 0.1)
    assert not is_zombie(3.0, 3.0 + SILENT_S, watcher)


def test_nor_does_one_whose_tick_is_still_missing() -> None:
    assert not is_zombie(3.0, 4.0 + SILENT_S, a_watcher(4.0))


def test_lateness_before_the_question_is_forgiven() -> None:
    watcher = a_watcher(4.0)
    watcher.tick(6.0)
    for n in range(1, 31):
        watcher.tick(6.0 + n * TICK_S)
    assert is_zombie(6.1, 9.0, watcher)
