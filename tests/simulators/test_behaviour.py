"""Requests are treated in the order of their behaviours."""

from simulators.behaviour import Behaviour, Fault, Series


def test_items_come_in_order_and_then_the_default_for_ever() -> None:
    series = Series("default", ["first"])
    series.add("second")
    assert [series.next() for _ in range(4)] == ["first", "second", "default", "default"]


def test_a_piece_is_due_after_the_first_delay_and_the_pace() -> None:
    assert Behaviour(first_s=0.3, per_s=50).due_s(10) == 0.5
    assert Behaviour(first_s=0.3).due_s(1000) == 0.3


def test_a_stall_or_cut_comes_once_its_amount_was_sent() -> None:
    stalls = Behaviour(fault=Fault.STALL, after=3)
    assert not stalls.fails_at(2)
    assert stalls.fails_at(3)
    assert not Behaviour(fault=Fault.BROKEN).fails_at(99)
