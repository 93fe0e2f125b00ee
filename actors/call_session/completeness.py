"""Whether a caller's words read as a finished turn. Pure; the evidence is the text and the question it answers.

Written for two kinds of recogniser: one that gives lower-case words without punctuation, and Whisper proper, which puts
a full stop after everything, so that "I would like to." is still unfinished. English is read by its grammar; other
languages by fillers, a few trailing words and punctuation; unknown ones by punctuation alone.
"""

import re
from enum import Enum

from actors.call_session import lexicon as lex, sentence
from actors.call_session.digits import (
    FEW_DIGITS,
    LONG_PHONE_DIGITS,
    PART_DIGITS,
    PHONE_DIGITS,
    count_digits,
    is_only_digits,
    wanted_digits,
)
from actors.call_session.words import folded, spelled

_OPEN_END = re.compile(r"(?:,|\u2026|\.\.+|[-\u2013\u2014:;])[\"'\u201d\u2019)]*\s*$")
_ENDED = re.compile(r"[.?!\u0964\u3002\uff1f\uff01\u061f][\"'\u201d\u2019)]*\s*$")


class Completeness(Enum):
    """How a text reads: over, open, or going on for sure."""

    COMPLETE = "complete"
    UNSURE = "unsure"
    INCOMPLETE = "incomplete"


def completeness(text: str, *, question: str = "", language: str = "en") -> Completeness:
    """How `text`, the caller's turn so far, reads; `question` is the last sentence the agent said."""
    words = folded(text)
    if not words:
        return Completeness.UNSURE
    if _OPEN_END.search(text):
        return Completeness.INCOMPLETE
    base = language.partition("-")[0].lower()
    if base != "en":
        return _elsewhere(text, words[-1], base)
    return _by_digits(text, words, question) or _by_grammar(text, words, question)


def are_equivalent(first: str, second: str) -> bool:
    """Whether two texts are the same words: case, punctuation, spacing and "3" for "three" (to twelve) aside."""
    return spelled(first) == spelled(second)


def _elsewhere(text: str, last: str, language: str) -> Completeness:
    if last in lex.FILLERS.get(language, ()) or last in lex.TRAILING.get(language, ()):
        return Completeness.INCOMPLETE
    return Completeness.COMPLETE if _ENDED.search(text) else Completeness.UNSURE


def _by_digits(text: str, words: list[str], question: str) -> Completeness | None:
    """The verdict on a number that is read out; None when this is none."""
    digits = count_digits(text)
    wanted = wanted_digits(question, text)
    if wanted and not digits and set(words) <= lex.CONSENT:
        return Completeness.UNSURE
    if wanted is None and is_only_digits(words) and not sentence.asks_when(question):
        wanted = PHONE_DIGITS, LONG_PHONE_DIGITS
    if wanted is None or not digits or not sentence.is_number_talk(words):
        return None
    fewest, enough = wanted
    is_closed = words[-1] in lex.CLOSERS
    if digits < (FEW_DIGITS if is_closed and fewest == PART_DIGITS else fewest):
        return Completeness.INCOMPLETE
    is_whole = digits >= enough or is_closed
    return Completeness.COMPLETE if is_whole else Completeness.UNSURE


def _by_grammar(text: str, words: list[str], question: str) -> Completeness:
    if sentence.is_whole(words):
        return Completeness.COMPLETE
    if sentence.is_dangling(words):
        return Completeness.INCOMPLETE
    if _ENDED.search(text) or sentence.is_answer(words, question) or sentence.is_sentence(words):
        return Completeness.COMPLETE
    return Completeness.UNSURE
