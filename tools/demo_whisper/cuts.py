"""Where a streaming recogniser may have stopped listening: a moment in an utterance and the words said until then.

Pure functions on the word spans that espeak.py measures, in samples at the line's rate.
"""

from dataclasses import dataclass

import numpy as np

from tools.demo_whisper.espeak import Spans
from tools.demo_whisper.line import LINE_RATE_HZ

EARLY_S = 1.5  # half the cuts fall this early: what is said first decides about an interruption
LEAST_S = 0.06
MISSING, SPOKEN = 0.55, 0.85  # share of a word heard: below the first it is not written, above the second it is
AHEAD, BEHIND = 0.4, 0.95  # where a cut between the two is moved to


@dataclass(frozen=True, slots=True)
class Cut:
    """So many samples of an utterance, in which so many of its words are spoken."""

    samples: int
    words: int


def drawn(spans: Spans, length: int, rng: np.random.Generator) -> Cut:
    """One moment at random: half of them early, none in the middle of a word that may or may not count."""
    until = min(length, int(EARLY_S * LINE_RATE_HZ)) if rng.random() < 0.5 else length
    at = int(rng.integers(min(until, int(LEAST_S * LINE_RATE_HZ)), until + 1))
    return settled(spans, at, is_ahead=bool(rng.random() < 0.3))


def settled(spans: Spans, at: int, *, is_ahead: bool) -> Cut:
    """The cut at `at`, moved ahead or behind if it falls where a word is neither missing nor spoken."""
    for start, end in spans:
        if start <= at < end and MISSING < (at - start) / (end - start) < SPOKEN:
            at = round(start + (AHEAD if is_ahead else BEHIND) * (end - start))
            break
    spoken = spans[:, 0] + SPOKEN * (spans[:, 1] - spans[:, 0]) <= at
    return Cut(at, int(spoken.sum()))
