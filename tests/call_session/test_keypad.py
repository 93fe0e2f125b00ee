import pytest
from hypothesis import given, strategies as st

from actors.call_session.keypad import MOST_KEYS, PAUSE_S, Keypad, as_words


def pressed(keys: str, *, start: float = 0.0, every_s: float = 0.3) -> Keypad:
    keypad = Keypad()
    for number, key in enumerate(keys):
        keypad.press(key, start + number * every_s)
    return keypad


def test_nothing_pressed_is_never_due() -> None:
    keypad = Keypad()
    assert keypad.due(100.0) is None
    assert keypad.deadline() is None


def test_a_number_is_due_two_seconds_after_its_last_key() -> None:
    keypad = pressed("1234")
    assert keypad.pending == "1234"
    assert keypad.deadline() == pytest.approx(0.9 + PAUSE_S)
    assert keypad.due(2.8) is None
    assert keypad.due(2.9) == "1234"
    assert keypad.due(2.9) is None
    assert keypad.deadline() is None


def test_the_pound_key_ends_a_number_and_is_none_of_it() -> None:
    keypad = pressed("42#")
    assert keypad.deadline() == pytest.approx(0.6)
    assert keypad.pending == ""
    assert keypad.due(0.6) == "42"


def test_the_pound_key_alone_is_an_answer() -> None:
    assert pressed("#").due(0.0) == "#"


def test_numbers_come_one_after_the_other() -> None:
    keypad = pressed("1#2#3")
    assert [keypad.due(1.2), keypad.due(1.2), keypad.due(1.2), keypad.due(1.2 + PAUSE_S)] == ["1", "2", None, "3"]


def test_a_key_after_a_pause_begins_a_new_number_even_if_nobody_asked_meanwhile() -> None:
    keypad = pressed("12")
    keypad.press("3", 5.0)
    assert keypad.due(5.0) == "12"
    assert keypad.pending == "3"


def test_too_many_keys_are_due_at_once() -> None:
    keypad = pressed("7" * (MOST_KEYS + 1), every_s=0.0)
    assert keypad.due(0.0) == "7" * MOST_KEYS
    assert keypad.pending == "7"


@pytest.mark.parametrize("key", ["", "x", "12", " ", "e"])
def test_what_is_no_key_is_ignored(key: str) -> None:
    keypad = Keypad()
    keypad.press(key, 0.0)
    assert keypad.deadline() is None


def test_star_and_letters_are_keys() -> None:
    assert pressed("*A0").due(10.0) == "*A0"


def test_the_model_reads_the_keys_one_by_one() -> None:
    assert as_words("12*") == "[keypad: 1 2 *]"


@given(st.lists(st.tuples(st.sampled_from("0123456789*ABCD"), st.floats(0, 5)), max_size=80))
def test_no_key_is_lost_or_doubled(keys: list[tuple[str, float]]) -> None:
    keypad, now = Keypad(), 0.0
    for key, wait in keys:
        now += wait
        keypad.press(key, now)
    numbers = iter(lambda: keypad.due(now + PAUSE_S), None)
    assert "".join(number for number in numbers if number is not None) == "".join(key for key, _ in keys)
