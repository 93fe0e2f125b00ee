"""What is said: short phone phrases with their transcripts, split into phrases heard in training and held out.

Knows nothing about sound. synth.py speaks `Phrase.spoken`; train.py and evaluate.py read `Phrase.transcript`.
"""

import itertools
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tools.demo_whisper import phrases


class Split(StrEnum):
    """Which side of the wall a phrase and a voice belong to."""

    TRAIN = "train"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One utterance to speak."""

    spoken: str  # with the punctuation that makes the synthesiser pause
    is_digits: bool  # holds a string of three digits or more

    @property
    def transcript(self) -> str:
        """The words alone, lower case, as the model must write them."""
        return " ".join(re.sub(r"[,.?]", " ", self.spoken).split())


HELD_OUT_ONE_IN = 8  # one filled pattern in eight is never heard in training
DIGIT_SHARE = 0.3
DIALOGUE_SHARE = 0.4
FIXED_SHARE = 0.35  # of what is not digits: phrases without a slot

_SLOT = re.compile(r"\{(\w+)\}")


def phrases_of(split: Split, *, seed: int) -> Iterator[Phrase]:
    """An endless stream of phrases; the same seed gives the same stream."""
    rng = random.Random(f"{split}:{seed}")
    while True:
        if rng.random() < DIGIT_SHARE:
            yield _filled(rng, phrases.DIGIT_PATTERNS, split, is_digits=True)
        elif rng.random() < FIXED_SHARE:
            yield Phrase(_paused(rng.choice(_fixed(rng)), rng), is_digits=False)
        else:
            yield _filled(rng, _patterns(rng), split, is_digits=False)


def _fixed(rng: random.Random) -> tuple[str, ...]:
    """Phrases without a slot are the demonstration's own lines: both splits hear them, in different voices."""
    if rng.random() < DIALOGUE_SHARE + 0.3:
        return rng.choice((phrases.DEMO_CALLER, phrases.DEMO_CALLER, phrases.DEMO_AGENT))
    return phrases.GENERAL


def _patterns(rng: random.Random) -> tuple[str, ...]:
    if rng.random() < DIALOGUE_SHARE + 0.2:
        return rng.choice((phrases.DEMO_CALLER_PATTERNS, phrases.DEMO_CALLER_PATTERNS, phrases.DEMO_AGENT_PATTERNS))
    return phrases.GENERAL_PATTERNS


def _filled(rng: random.Random, patterns: tuple[str, ...], split: Split, *, is_digits: bool) -> Phrase:
    """Draw until a phrase of this split comes up: the words decide, so a phrase can never be on both sides."""
    while True:
        spoken = _SLOT.sub(lambda slot: _slot(slot[1], rng), rng.choice(patterns))
        phrase = Phrase(_paused(spoken, rng), is_digits=is_digits)
        is_held_out = zlib.crc32(phrase.transcript.encode()) % HELD_OUT_ONE_IN == 0
        if is_held_out == (split is Split.TEST):
            return phrase


def _paused(spoken: str, rng: random.Random) -> str:
    """Keep, strengthen or drop each marked pause: people do not punctuate."""
    return re.sub(r",", lambda _: rng.choice((",", ",", ".", "")), spoken)


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
