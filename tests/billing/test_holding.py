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
