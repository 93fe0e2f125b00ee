"""Days, times, names and numbers are found although the recogniser errs."""

import pytest

from simulators.hearing import day_in, digits_in, edit_distance, name_in, time_in, words_of


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Tuesday, please.", "tuesday"),
        ("tues day please", "tuesday"),
        ("toosday please", "tuesday"),
        ("wensday", "wednesday"),
        ("not monday, friday", "friday"),
        ("tomorrow", "tomorrow"),
        ("three in the afternoon", None),
    ],
)
def test_a_day_is_found(text: str, day: str | None) -> None:
    assert day_in(words_of(text)) == day


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("three in the afternoon", "three in the afternoon"),
        ("at three", "three in the afternoon"),
        ("tree in the afternoon", "three in the afternoon"),
        ("ten thirty works for me", "ten thirty in the morning"),
        ("3 pm", "three in the afternoon"),
        ("at 10:30 am", "ten thirty in the morning"),
        ("seven in the evening", "seven in the evening"),
        ("half past three", "three thirty in the afternoon"),
        ("eight p m", "eight in the afternoon"),
        ("noon", "twelve in the afternoon"),
        ("tuesday please", None),
    ],
)
def test_a_time_is_found(text: str, time: str | None) -> None:
    assert time_in(words_of(text)) == time


@pytest.mark.parametrize(
    ("text", "is_asked", "name"),
    [
        ("my name is maria", False, "Maria"),
        ("my name is marya", False, "Maria"),
        ("this is Zoltan", True, "Zoltan"),
        ("maria", True, "Maria"),
        ("it is susan smith", True, "Susan"),
        ("yes please", True, None),
        ("that is fine", False, None),
    ],
)
def test_a_name_is_found(text: str, is_asked: bool, name: str | None) -> None:
    assert name_in(words_of(text), is_asked=is_asked) == name


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("five five five, one two three four", "5551234"),
        ("my number is five oh five", "505"),
        ("double five, triple one", "55111"),
        ("555 1234", "5551234"),
        ("5551234", "5551234"),
        ("hello", ""),
    ],
)
def test_digits_are_found(text: str, digits: str) -> None:
    assert digits_in(words_of(text)) == digits


def test_the_distance_counts_insertions_deletions_and_substitutions() -> None:
    assert edit_distance("tuesday", "tuesday") == 0
    assert edit_distance("tuesday", "toosday") == 2
    assert edit_distance("", "abc") == 3
