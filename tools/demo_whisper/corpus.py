"""What is said: short phone phrases with their transcripts, split into phrases heard in training and held out.

Whole phrases, and what a streaming recogniser gets besides: beginnings, phrases in pieces, murmurs, machines. Knows
nothing about sound. synth.py speaks `Phrase.spoken`; train.py and evaluate.py read `Phrase.transcript`.
"""

import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tools.demo_whisper import phrases, slots


class Split(StrEnum):
    """Which side of the wall a phrase and a voice belong to."""

    TRAIN = "train"
    TEST = "test"


class Kind(StrEnum):
    """What sort of utterance."""

    WHOLE = "whole"
    PREFIX = "prefix"  # the first words of a whole phrase
    SUFFIX = "suffix"  # the rest of one, as it goes on after a pause
    RUN = "run"  # digits with runs of equal ones
    JOINED = "joined"  # two phrases, or one in pieces, with pauses
    ASIDE = "aside"  # backchannels and stop words
    MACHINE = "machine"  # mailboxes, announcements, menus, and their beginnings


@dataclass(frozen=True, slots=True)
class Phrase:
    """One utterance to speak."""

    spoken: str  # with the punctuation that makes the synthesiser pause, and PIECE between separate pieces
    is_digits: bool  # holds a string of three digits or more
    written: str = ""  # where the words cannot be read off `spoken`, which is phonemes

    @property
    def transcript(self) -> str:
        """The words alone, lower case, as the model must write them."""
        return self.written or " ".join(re.sub(r"[,.?|]", " ", self.spoken).split())

    @property
    def pieces(self) -> list[str]:
        """What is spoken in one breath each."""
        return [piece.strip() for piece in self.spoken.split(PIECE)]


HELD_OUT_ONE_IN = 8  # one filled pattern in eight is never heard in training
DIGIT_SHARE = 0.3
DIALOGUE_SHARE = 0.4
FIXED_SHARE = 0.35  # of what is not digits: phrases without a slot
PIECE = "|"
WALLED_WORDS = 5  # a prefix this long is held out like a phrase; shorter ones begin phrases on both sides
SHORT_WORDS = 4
MIXTURE = {
    Kind.WHOLE: 0.38,
    Kind.PREFIX: 0.18,
    Kind.SUFFIX: 0.08,
    Kind.RUN: 0.06,
    Kind.JOINED: 0.16,
    Kind.ASIDE: 0.07,
    Kind.MACHINE: 0.07,
}


def phrases_of(split: Split, *, seed: int, kind: Kind = Kind.WHOLE) -> Iterator[Phrase]:
    """An endless stream of phrases of one kind; the same seed gives the same stream."""
    rng = random.Random(f"{split}:{seed}")
    while True:
        yield _MAKERS[kind](rng, split)


def mixed(split: Split, *, seed: int) -> Iterator[Phrase]:
    """An endless stream of all kinds, as MIXTURE says."""
    rng = random.Random(f"mixed:{split}:{seed}")
    while True:
        kind = rng.choices(list(MIXTURE), list(MIXTURE.values()))[0]
        yield _MAKERS[kind](rng, split)


def _whole(rng: random.Random, split: Split) -> Phrase:
    if rng.random() < DIGIT_SHARE:
        return _filled(rng, phrases.DIGIT_PATTERNS, split, is_digits=True)
    if rng.random() < FIXED_SHARE:
        return Phrase(_paused(rng.choice(_fixed(rng)), rng), is_digits=False)
    return _filled(rng, _patterns(rng), split, is_digits=False)


def _prefix(rng: random.Random, split: Split) -> Phrase:
    """The first words of a phrase, mostly short or open at the end; spoken level, rising or falling."""
    while True:
        whole = _whole(rng, split)
        words = whole.spoken.split()
        if len(words) == 1:
            continue
        cut = _beginning(words, rng)
        if split is Split.TEST or cut.count(" ") + 1 < WALLED_WORDS or not _is_held_out(cut):
            return Phrase(cut + rng.choice(("", "", ",", ",", "?")), is_digits=whole.is_digits)


def _suffix(rng: random.Random, split: Split) -> Phrase:
    """What is left of a phrase behind a beginning."""
    while True:
        whole = _whole(rng, split)
        words = whole.spoken.split()
        rest = " ".join(words[len(_beginning(words, rng).split()) :]).strip(",. ")
        if rest and (split is Split.TEST or rest.count(" ") + 1 < WALLED_WORDS or not _is_held_out(rest)):
            return Phrase(rest, is_digits=whole.is_digits)


def _run(rng: random.Random, _split: Split) -> Phrase:
    """Groups of digits, most of them holding a run of equal ones, on their own or behind a few words."""
    groups = []
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        group = [rng.choice(phrases.DIGITS)]
        while len(group) < rng.choice((2, 3, 3, 3, 4)):
            group.append(group[-1] if rng.random() < 0.55 else rng.choice(phrases.DIGITS))
        groups.append(" ".join(group))
    number = rng.choice((" ", ", ", f" {PIECE} ")).join(groups)
    lead = rng.choice(
        ("", "", "", "my number is", "my phone number is", "the number is", "you can call me on", "it is")
    )
    return Phrase(f"{lead} {number}".strip(), is_digits=True)


def _joined(rng: random.Random, split: Split) -> Phrase:
    """Two phrases with or without a word between them, a phrase and a loose end, or one phrase in pieces."""
    first = _whole(rng, split)
    match rng.random():
        case chance if chance < 0.3:
            end = rng.choice(phrases.LOOSE_ENDS)
            spoken = f"{first.spoken} {rng.choice(('', '', PIECE))} {end}{rng.choice(('', '', ','))}"
        case chance if chance < 0.38:
            spoken = f"{rng.choice(phrases.LEAD_INS)} {rng.choice(('', ',', PIECE))} {first.spoken}"
        case chance if chance < 0.68:
            spoken = _in_pieces(first, rng)
        case _:
            second = _whole(rng, split) if rng.random() < 0.7 else _prefix(rng, split)
            before, behind = rng.choice((("", PIECE), (PIECE, ""), ("", ""), (",", "")))
            spoken = f"{first.spoken} {before} {rng.choice(phrases.JOINTS)} {behind} {second.spoken}"
    return Phrase(" ".join(spoken.split()).replace(" ,", ","), is_digits=first.is_digits)


def _in_pieces(phrase: Phrase, rng: random.Random) -> str:
    """One phrase with a pause at each comma, or else at one or two places, mostly behind words that leave it open."""
    if "," in phrase.spoken and rng.random() < 0.7:
        return phrase.spoken.replace(",", PIECE)
    words = phrase.spoken.split()
    for _ in range(rng.choice((1, 1, 2))):
        if len(words) > 1:
            head = len(_beginning(words, rng).split())
            words = [*words[:head], PIECE, *words[head:]]
    return re.sub(r"\|(\s*\|)+", PIECE, " ".join(words)).strip(f" {PIECE}")


def _aside(rng: random.Random, _split: Split) -> Phrase:
    """What listeners murmur and what stops a speaker: a few words, heard in training in other voices."""
    text = rng.choice(phrases.BACKCHANNELS if rng.random() < 0.55 else phrases.INTERRUPTIONS)
    if text in phrases.PHONEMES:
        return Phrase(rng.choice(phrases.PHONEMES[text]), is_digits=False, written=text)
    return Phrase(text + rng.choice(("", "", ",", "?")), is_digits=False)


def _machine(rng: random.Random, split: Split) -> Phrase:
    """What answers instead of a person: sometimes two sentences, often only the beginning."""
    spoken = _machine_line(rng, split)
    if rng.random() < 0.2:
        spoken = f"{spoken} {PIECE} {_machine_line(rng, split)}"
    elif rng.random() < 0.35:
        words = spoken.split()
        spoken = _beginning(words, rng)
    return Phrase(spoken, is_digits=False)


def _machine_line(rng: random.Random, split: Split) -> str:
    if rng.random() < 0.5:
        return _paused(rng.choice(phrases.MACHINES), rng)
    return _filled(rng, phrases.MACHINE_PATTERNS, split, is_digits=False).spoken


def _beginning(words: list[str], rng: random.Random) -> str:
    """The first words, at least one and not all, most likely cut behind a word that leaves the phrase open."""
    weights = [
        (3.0 if count <= SHORT_WORDS else 1.0) * (3.0 if word.strip(",.?") in phrases.OPEN_ENDS else 1.0)
        for count, word in enumerate(words[:-1], start=1)
    ]
    count = rng.choices(range(1, len(words)), weights)[0] if weights else 1
    return " ".join(words[:count]).rstrip(",.?")


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
        spoken = slots.filled(rng.choice(patterns), rng)
        phrase = Phrase(_paused(spoken, rng), is_digits=is_digits)
        if _is_held_out(phrase.transcript) == (split is Split.TEST):
            return phrase


def _is_held_out(transcript: str) -> bool:
    return zlib.crc32(transcript.encode()) % HELD_OUT_ONE_IN == 0


def _paused(spoken: str, rng: random.Random) -> str:
    """Keep, strengthen or drop each marked pause: people do not punctuate."""
    return re.sub(r",", lambda _: rng.choice((",", ",", ".", "")), spoken)


_MAKERS = {
    Kind.WHOLE: _whole,
    Kind.PREFIX: _prefix,
    Kind.SUFFIX: _suffix,
    Kind.RUN: _run,
    Kind.JOINED: _joined,
    Kind.ASIDE: _aside,
    Kind.MACHINE: _machine,
}
