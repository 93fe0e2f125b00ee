"""Fills the slots of a sentence pattern: dates, times, amounts, names and strings of digits, as people say them."""

import itertools
import random
import re

from tools.demo_whisper import phrases

_SLOT = re.compile(r"\{(\w+)\}")


def filled(pattern: str, rng: random.Random) -> str:
    """The pattern with words drawn for its slots."""
    return _SLOT.sub(lambda slot: _slot(slot[1], rng), pattern)


def _slot(name: str, rng: random.Random) -> str:
    match name:
        case "date":
            return _date(rng)
        case "time":
            return _time(rng)
        case "part":
            return rng.choice(phrases.DAYPARTS) if rng.random() < 0.7 else f"in the {rng.choice(phrases.DAYPARTS)}"
        case "amount":
            return f"{rng.choice(phrases.ROUND_NUMBERS + phrases.HOURS)} {rng.choice(phrases.WORDS['currency'])}"
        case "digits":
            return _digit_string(rng, rng.randint(3, 10))
        case "phone":
            return _digit_string(rng, rng.choice((7, 7, 7, 10, 10)))
        case _:
            return rng.choice(phrases.WORDS[name])


def _date(rng: random.Random) -> str:
    weekday, month, ordinal = (rng.choice(words) for words in (phrases.WEEKDAYS, phrases.MONTHS, phrases.ORDINALS))
    return rng.choice(
        (
            weekday,
            weekday,
            weekday,
            "today",
            "tomorrow",
            f"the {ordinal} of {month}",
            f"{month} {ordinal}",
            f"next {weekday}",
            f"{weekday} the {ordinal}",
            rng.choice(("next week", "next month", "this week", "the day after tomorrow")),
        )
    )


def _time(rng: random.Random) -> str:
    hour = rng.choice(phrases.HOURS)
    return rng.choice(
        (
            f"{hour} {rng.choice(phrases.MINUTES)}",
            f"{hour} in the {rng.choice(phrases.DAYPARTS)}",
            f"{hour} in the {rng.choice(phrases.DAYPARTS[:2])}",
            f"{hour} {rng.choice(('p m', 'a m'))}",
            hour,
            f"half past {hour}",
            f"{hour} thirty",
        )
    )


def _digit_string(rng: random.Random, length: int) -> str:
    """Digits the way people read numbers out: repeats, "double five", "oh", and pauses between groups."""
    repeats = rng.choice((0.0, 0.0, 0.3))
    digits: list[str] = []
    for _ in range(length):
        again = bool(digits) and rng.random() < repeats
        digits.append(digits[-1] if again else rng.choice(phrases.DIGITS))
    if rng.random() < 0.25:
        digits = ["oh" if digit == "zero" else digit for digit in digits]
    groups = _grouped(digits, rng)
    if rng.random() < 0.3:
        groups = [_doubled(group) for group in groups]
    separator = rng.choice((" ", ", ", ", "))
    return separator.join(" ".join(group) for group in groups)


def _grouped(digits: list[str], rng: random.Random) -> list[list[str]]:
    """Split as phone numbers are written (3-4, 3-3-4), in pairs, in threes, or not at all."""
    match len(digits), rng.random():
        case 7, chance if chance < 0.7:
            cuts = [3]
        case 10, chance if chance < 0.6:
            cuts = [3, 6]
        case length, chance if chance < 0.8:
            size = rng.choice((2, 3, 4, length))
            cuts = list(range(size, length, size))
        case _:
            cuts = []
    edges = [0, *cuts, len(digits)]
    return [digits[start:end] for start, end in itertools.pairwise(edges)]


def _doubled(group: list[str]) -> list[str]:
    """Say "double five" for the first pair of equal neighbours in a group."""
    for index, (left, right) in enumerate(itertools.pairwise(group)):
        if left == right:
            return [*group[:index], "double", *group[index + 1 :]]
    return group
