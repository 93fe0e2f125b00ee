"""Which answers of a Whisper are words and which its imagination. Pure: a table of rules, first that holds wins.

Whisper answers silence, noise and music with fluent sentences. No list of such sentences is kept: "yes", "thank you"
and "bye" are on every one of them, and are also what people say on the phone. Only evidence counts.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MIN_SPEECH_S = 0.2
MIN_LEVEL_DB = -55.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoding. `avg_logprob` is per token with the end token counted; `no_speech` is 0 to 1."""

    text: str
    avg_logprob: float
    no_speech: float
    is_cut: bool
    """The token cap ended it, not the model."""
    speech_s: float


RULES: Sequence[tuple[str, Callable[[Decoded], bool]]] = (
    ("no_words", lambda d: not d.text),
    ("no_speech", lambda d: d.no_speech > 0.6 and d.avg_logprob < -1.0),
    ("unlikely", lambda d: d.avg_logprob < -1.3),
    ("compressible", lambda d: len(d.text) >= 40 and compression_ratio(d.text) > 2.4),  # short text compresses badly
    ("cut", lambda d: d.is_cut),
    ("looping", lambda d: is_looping(d.text)),
    ("too_fast", lambda d: len(d.text) > 15 + 30 * d.speech_s),  # the fastest speakers reach 25 characters a second
)


def refuse_sound(level_db: float, speech_s: float) -> str | None:
    """Why sound is not worth decoding; None: it is. `level_db` is its loudness below full scale."""
    if level_db < MIN_LEVEL_DB:
        return "silent"
    return "no_speech" if speech_s < MIN_SPEECH_S else None


def refuse_text(decoded: Decoded) -> str | None:
    """Why a decoding is not to be believed; None: it is."""
    return next((reason for reason, holds in RULES if holds(decoded)), None)


def compression_ratio(text: str) -> float:
    """How much zlib shrinks the text: natural speech about 1.5, loops far more."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def is_looping(text: str) -> bool:
    """Whether a phrase of 2 to 6 words comes 4 times in a row, or one word 6 times; numbers may repeat."""
    words = text.lower().replace(",", "").replace(".", "").split()
    return longest_run(words, 1) >= 6 or any(longest_run(words, size) >= 4 for size in range(2, 7))


def longest_run(words: Sequence[str], size: int) -> int:
    """How often at most the same `size` words follow each other; runs of numbers do not count."""
    longest = 0
    for offset in range(size):
        grams = [tuple(words[at : at + size]) for at in range(offset, len(words) - size + 1, size)]
        run = 1
        for gram, following in pairwise([*grams, ()]):
            if not _is_number(gram):
                longest = max(longest, run)
            run = run + 1 if gram == following else 1
    return longest


_NUMBER_WORDS = frozenset("zero oh one two three four five six seven eight nine ten double triple hundred".split())


def _is_number(gram: Sequence[str]) -> bool:
    return all(word.isdigit() or word in _NUMBER_WORDS for word in gram)
