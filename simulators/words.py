"""Compares what callers said with what a log holds of it. Pure; moments are on one clock, in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from simulators.hearing import words_of
from simulators.report import Utterance

_SLACK_S = 0.05
"""The log's clock is the wall's, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One turn of the caller's in a log, and when it was committed."""

    text: str
    at: float


def word_errors(said: str, stored: str) -> tuple[int, int]:
    """Insertions, deletions and substitutions that turn what was said into what is stored, and the words said."""
    first, second = words_of(said), words_of(stored)
    row = list(range(len(second) + 1))
    for i, word in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1], len(first)


def heard_words(said: str, stored: str) -> int:
    """How many of the words said are in what is stored, in whatever order."""
    left = words_of(stored)
    count = 0
    for word in words_of(said):
        if word in left:
            left.remove(word)
            count += 1
    return count


def stored_for(utterances: Sequence[Utterance], turns: Sequence[Stored]) -> list[list[Stored]]:
    """For each utterance the turns that were committed after its beginning and before the next one's."""
    nexts = [utterance.start for utterance in utterances[1:]] + [inf]
    return [
        [turn for turn in turns if utterance.start - _SLACK_S <= turn.at < until - _SLACK_S]
        for utterance, until in zip(utterances, nexts, strict=True)
    ]


def is_early(utterance: Utterance, turns: Sequence[Stored]) -> bool:
    """Whether one of its turns was committed before it had been said."""
    return any(turn.at < utterance.end - _SLACK_S for turn in turns)
