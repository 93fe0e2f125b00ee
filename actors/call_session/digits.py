"""Numbers that are read out digit by digit: how many digits a text holds and how many were asked for. Pure, English."""

import re
from collections.abc import Sequence

from actors.call_session.words import SMALL_NUMBERS, UNITS, folded

PHONE_DIGITS = 7
"""The fewest digits of a subscriber's number, as ITU-T E.164 numbers are said without country and area."""
LONG_PHONE_DIGITS = 10
PIN_DIGITS = 4
SURE_DIGITS = 8
"""Fewer digits of a number of unknown length may be a part of it: people pause after groups of three. Under PART_DIGITS
they are taken for a part: waiting a little longer for a short number costs less than cutting a long one."""
PART_DIGITS = 4
FEW_DIGITS = 3
"""What makes a number: two digits are a time, or a count."""

_SPOKEN = frozenset((*UNITS, "oh", "o", "nought", "null"))
_REPEATS = {"double": 2, "triple": 3}
_BETWEEN = frozenset(("uh", "um", "and", "then", "dash", "space", "hyphen"))
"""May stand between digits of one number."""

_KIND = r"(?:pin|code|otp|number|digits)"
_ASKS_PHONE = re.compile(
    r"\b(?:phone|mobile|cell|telephone|callback|contact) number|\bnumber (?:to|we can|can we) (?:reach|call)"
)
_CALL_ME_ON = re.compile(r"\b(?:call|reach|ring|phone|text) me (?:back )?(?:on|at)\b")
_ASKS_NUMBER = re.compile(rf"\b{_KIND}\b")
_ASKS = re.compile(r"\b(?:what|what's|may|can|could|would|please|tell|give|enter|say|provide|need|confirm|have|is) ")
_NO_NUMBER = re.compile(r"\bnumber of\b|\bhow many\b")
_COUNT = re.compile(rf"\b({'|'.join(SMALL_NUMBERS)}|\d{{1,2}})[ -]?(?:digits?|numbers)\b")


def count_digits(text: str) -> int:
    """The digits of the longest run of them: figures, "oh", "double five" (two) and "triple two" (three) included."""
    longest = run = 0
    repeat = 1
    for word in folded(text):
        figures = sum(character.isdigit() for character in word)
        if word in _REPEATS:
            repeat = _REPEATS[word]
            continue
        if word in _SPOKEN or figures:
            run += max(figures, 1) * repeat
        elif word not in _BETWEEN:
            run = 0
        repeat = 1
        longest = max(longest, run)
    return longest


def is_only_digits(words: Sequence[str]) -> bool:
    """Whether nothing but digits was said, and more than one word of them or more than two figures."""
    kinds = [word in _SPOKEN or word in _REPEATS or word in _BETWEEN or word.isdigit() for word in words]
    return all(kinds) and count_digits(" ".join(words)) >= FEW_DIGITS


def wanted_digits(question: str, text: str) -> tuple[int, int] | None:
    """How many digits belong to the number asked for or announced: fewer than the first figure is a part of it, at
    least the second all of it. None: no such number is due.
    """
    if _CALL_ME_ON.search(" ".join(folded(text))):
        return PHONE_DIGITS, LONG_PHONE_DIGITS
    announcement = _announcement(text)
    asked = _asked(" ".join(folded(question)))
    return asked if asked and announcement.endswith("my number is") else _wanted(announcement) or asked


def _announcement(text: str) -> str:
    """The words up to the "is" that announces a number: "my number is", "the code is"."""
    match = re.match(r"(?:.*?\b)?(?:my|the|your)\b(.*?)\b(?:is|as|on)\b", " ".join(folded(text)))
    return match[0] if match else ""


def _asked(question: str) -> tuple[int, int] | None:
    """What a question asks for; one that reads a number back asks for none."""
    return _wanted(question) if _ASKS.search(question) and count_digits(question) < FEW_DIGITS else None


def _wanted(words: str) -> tuple[int, int] | None:
    if not words or _NO_NUMBER.search(words):
        return None
    if count := _COUNT.search(words):
        digits = int(count[1]) if count[1].isdigit() else SMALL_NUMBERS.index(count[1])
        return digits, digits
    if _ASKS_PHONE.search(words) or re.search(r"\bmy number is$", words):
        return PHONE_DIGITS, LONG_PHONE_DIGITS
    if re.search(r"\bpin\b", words):
        return PIN_DIGITS, PIN_DIGITS
    return (PART_DIGITS, SURE_DIGITS) if _ASKS_NUMBER.search(words) else None
