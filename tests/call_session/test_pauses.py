import pytest
from hypothesis import given, strategies as st

from actors.call_session.pauses import FLUENT, LONGEST, MARGIN, SHORTEST, Pauses

BASE = 0.55


def after(*pauses: float | None) -> Pauses:
    """None is a turn without a pause."""
    learnt = Pauses()
    for pause in pauses:
        if pause is None:
            learnt.turn_over()
        else:
            learnt.add(pause)
    return learnt


def test_a_stranger_is_given_the_base() -> None:
    assert after().stretched(BASE) == BASE


def test_pauses_stretch_the_wait_step_by_step_to_a_margin_over_them() -> None:
    waits = [after(*[0.6] * count).stretched(BASE) for count in range(20)]
    assert waits == sorted(waits)
    assert waits[1] == pytest.approx(0.8 * BASE + 0.2 * MARGIN * 0.6)
    assert waits[-1] == pytest.approx(MARGIN * 0.6, abs=0.01)


def test_long_pauses_stretch_no_further_than_the_bound() -> None:
    assert after(*[1.9] * 10).stretched(BASE) == pytest.approx(LONGEST * BASE)


def test_turns_without_a_pause_shorten_the_wait() -> None:
    assert after(*[None] * 30).stretched(BASE) == pytest.approx(FLUENT * BASE, abs=0.001)


def test_short_pauses_shorten_the_wait_no_further_than_the_bound() -> None:
    assert after(*[0.2] * 50).stretched(BASE) == pytest.approx(SHORTEST * BASE)


def test_the_silence_of_a_plosive_is_no_pause() -> None:
    assert after(0.05, 0.1, 0.19).stretched(BASE) == BASE


def test_a_turn_with_a_pause_does_not_count_as_fluent() -> None:
    assert after(0.6, None).stretched(BASE) == after(0.6).stretched(BASE)
    assert after(0.6, None, None).stretched(BASE) < after(0.6).stretched(BASE)


@given(st.lists(st.one_of(st.none(), st.floats(0, 60)), max_size=40), st.floats(0.1, 5))
def test_the_wait_is_always_within_its_bounds(pauses: list[float | None], base_s: float) -> None:
    wait = after(*pauses).stretched(base_s)
    assert SHORTEST * base_s - 1e-9 <= wait <= LONGEST * base_s + 1e-9
