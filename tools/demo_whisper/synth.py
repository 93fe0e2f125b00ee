"""Speaks phrases with espeak-ng: many voices for training, two held-out variants for the test."""

import argparse
import itertools
import multiprocessing
import random
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tools.demo_whisper.corpus import Kind, Phrase, Split, mixed, phrases_of
from tools.demo_whisper.espeak import Delivery, Pcm, Spans, Speaker, audible
from tools.demo_whisper.line import LINE_RATE_HZ

ACCENTS = (
    "en-us",
    "en-us",
    "en-us",
    "en",
    "en",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
)
VARIANTS = ("", "", "+m1", "+m2", "+m3", "+m4", "+m6", "+m7", "+m8", "+f1", "+f2", "+f3", "+f4")
NAMED_VARIANTS = (
    "+Andy",
    "+Annie",
    "+Alicia",
    "+Denis",
    "+Gene",
    "+Lee",
    "+Mario",
    "+Michael",
    "+Mike",
    "+adam",
    "+anika",
    "+belinda",
    "+caleb",
    "+david",
    "+edward",
    "+ian",
    "+john",
    "+linda",
    "+rob",
    "+shelby",
    "+steph",
    "+travis",
    "+victor",
    "+zac",
)
NAMED_VARIANT_SHARE = 0.25
HELD_OUT_VOICES = ("en-us+m5", "en+f5", "en-us+f5", "en-gb-x-rp+m5")
MIN_SPEECH_S = 0.1
MAX_SPEECH_S = 9.0

PAUSE_S = (0.0, 0.7)  # between the pieces of a phrase


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken phrase at 8 kHz, before any telephone line."""

    transcript: str
    is_digits: bool
    pcm: Pcm
    spans: Spans  # where each word lies; none where espeak-ng does not tell


def speak(split: Split, count: int, *, seed: int, kind: Kind | None = Kind.WHOLE, workers: int = 1) -> list[Utterance]:
    """The first `count` utterances of a split; the same arguments give the same phrases in the same voices.

    No `kind`: all kinds, mixed as for training.
    """
    phrases = mixed(split, seed=seed) if kind is None else phrases_of(split, seed=seed, kind=kind)
    jobs = [(phrase, split, f"{split}:{seed}:{index}") for index, phrase in enumerate(itertools.islice(phrases, count))]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        spoken = pool.map(_speak_one, jobs, chunksize=64)
    return [utterance for utterance in spoken if MIN_SPEECH_S < len(utterance.pcm) / LINE_RATE_HZ < MAX_SPEECH_S]


def save(utterances: list[Utterance], path: Path) -> None:
    """Write a data set as one compressed-free npz: transcripts, flags, lengths and all samples end to end."""
    np.savez(
        path,
        transcript=np.array([utterance.transcript for utterance in utterances]),
        is_digits=np.array([utterance.is_digits for utterance in utterances]),
        length=np.array([len(utterance.pcm) for utterance in utterances]),
        pcm=np.concatenate([utterance.pcm for utterance in utterances]),
        words=np.array([len(utterance.spans) for utterance in utterances]),
        spans=np.concatenate([utterance.spans for utterance in utterances]),
    )


def load(path: Path) -> list[Utterance]:
    """Read what save() wrote."""
    with np.load(path) as data:
        pcm = np.split(data["pcm"], np.cumsum(data["length"])[:-1])
        spans = np.split(data["spans"], np.cumsum(data["words"])[:-1])
        return [
            Utterance(str(transcript), bool(is_digits), samples, words)
            for transcript, is_digits, samples, words in zip(
                data["transcript"], data["is_digits"], pcm, spans, strict=True
            )
        ]


@cache
def _speaker() -> Speaker:
    return Speaker()


def _speak_one(job: tuple[Phrase, Split, str]) -> Utterance:
    phrase, split, seed = job
    rng = random.Random(seed)
    delivery = _delivery(split, rng)
    if len(phrase.pieces) == 1:
        pcm, spans = _speaker().say(phrase.spoken, delivery)
    else:
        pcm, spans = _joined([_speaker().say(piece, delivery) for piece in phrase.pieces], rng)
    if len(spans) != len(phrase.transcript.split()):
        spans = spans[:0]
    return Utterance(phrase.transcript, phrase.is_digits, pcm, spans)


def _joined(pieces: list[tuple[Pcm, Spans]], rng: random.Random) -> tuple[Pcm, Spans]:
    """The pieces without the silence around them, one after the other with a drawn pause between them."""
    parts: list[Pcm] = []
    places: list[Spans] = []
    at = 0
    for pcm, spans in pieces:
        first, last = audible(pcm)
        pause = int(rng.uniform(*PAUSE_S) * LINE_RATE_HZ)
        parts += [pcm[first:last], np.zeros(pause, np.int16)]
        places.append(np.clip(spans - first, 0, last - first) + np.int32(at))
        at += last - first + pause
    return np.concatenate(parts[:-1]), np.concatenate(places)


def _delivery(split: Split, rng: random.Random) -> Delivery:
    variants = NAMED_VARIANTS if rng.random() < NAMED_VARIANT_SHARE else VARIANTS
    trained = rng.choice(ACCENTS) + rng.choice(variants)
    return Delivery(
        voice=rng.choice(HELD_OUT_VOICES) if split is Split.TEST else trained,
        words_per_min=rng.randint(125, 200),
        pitch=rng.randint(25, 75),
        pitch_range=rng.randint(30, 70),
        word_gap=rng.choice((0, 0, 0, 1, 2)),
    )


def main() -> None:
    """Write one split to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split", type=Split, choices=list(Split))
    parser.add_argument("path", type=Path)
    parser.add_argument("--phrases", type=int, default=28_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kind", type=Kind, choices=list(Kind), help="one kind of phrase; without it the mixture")
    options = parser.parse_args()
    started_s = time.monotonic()
    utterances = speak(options.split, options.phrases, seed=options.seed, kind=options.kind, workers=options.workers)
    save(utterances, options.path)
    hours = sum(len(utterance.pcm) for utterance in utterances) / LINE_RATE_HZ / 3600
    print(f"{len(utterances)} utterances, {hours:.1f} h of speech, in {time.monotonic() - started_s:.0f} s")


if __name__ == "__main__":
    main()
