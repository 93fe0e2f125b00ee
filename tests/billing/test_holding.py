"""When a live call's hold is renewed."""

from actors.billing.holding import EVERY_S, Holding
from actors.billing.rating import Prices, hold_step
from models.settings import Settings


def a_holding() -> Holding:
    return Holding(step=100, held=100, renewed_at=0.0)


def test_a_hold_is_renewed_every_thirty_seconds() -> None:
    holding = a_holding()
    assert holding.target(10, EVERY_S - 1) is None
    assert holding.target(10, EVERY_S) == 110
    holding.renewed(110, 10, EVERY_S)
    assert holding.target(20, EVERY_S + 1) is None
    assert holding.target(20, 2 * EVERY_S) == 120


def test_a_hold_is_renewed_early_when_half_of_it_is_used() -> None:
    assert a_holding().target(49, 1.0) is None
    assert a_holding().target(50, 1.0) == 150


def test_a_call_that_spends_fast_holds_by_its_own_pace() -> None:
    assert a_holding().target(300, EVERY_S) == 900


def test_a_hold_that_could_not_be_renewed_is_asked_for_again() -> None:
    holding = a_holding()
    assert [holding.target(50, second) for second in (1.0, 2.0, 40.0)] == [150, 150, 150]
    assert not holding.is_spent(100)
    assert holding.is_spent(101)


def test_a_minute_of_the_documented_call_costs_less_than_is_set_aside_for_it() -> None:
    documented_call_micros, minutes = 97_200, 330 / 60
    step = hold_step(Prices.of(Settings(_env_file=None)))
    assert documented_call_micros / minutes < step < 4 * documented_call_micros / minutes


def test_a_new_call_has_what_it_was_begun_with() -> None:
    assert Holding.of_call(100, 0, 5.0) == Holding(step=100, held=100, renewed_at=5.0, cost_then=0)


def test_a_call_taken_up_again_has_something_left_and_asks_for_more_at_once() -> None:
    holding = Holding.of_call(100, 730, 5.0)
    assert not holding.is_spent(780)
    assert holding.is_spent(781)
    assert holding.target(730, 5.0) == 830


def test_a_call_taken_up_again_never_holds_more_than_one_that_went_on() -> None:
    for cost in (0, 40, 99, 1_000):
        taken_up, went_on = (
            Holding.of_call(100, cost, 0.0),
            Holding(step=100, held=cost, renewed_at=0.0, cost_then=cost),
        )
        assert taken_up.target(cost + 30, EVERY_S) == went_on.target(cost + 30, EVERY_S)
