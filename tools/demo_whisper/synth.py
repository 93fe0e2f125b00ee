"""Speaks phrases with espeak-ng: many voices for training, two held-out variants for the test.

Calls the library of the espeakng-loader wheel directly; starting a program per phrase would be twenty times slower.
"""

import argparse
import ctypes
import itertools
import multiprocessing
import random
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import espeakng_loader
import numpy as np
import numpy.typing as npt

from tools.demo_whisper.corpus import Phrase, Split, phrases_of
from tools.demo_whisper.line import LINE_RATE_HZ

Pcm: TypeAlias = npt.NDArray[np.int16]

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

_RETRIEVAL = 1  # espeak_AUDIO_OUTPUT: hand the samples to the callback, play nothing
_CHARS_UTF8 = 1
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7  # espeak_PARAMETER

_SampleCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one phrase is spoken."""

    voice: str
    words_per_min: int
    pitch: int  # espeak scale, 0-100
    pitch_range: int  # espeak scale, 0-100
    word_gap: int  # extra silence between words, units of 10 ms


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken phrase at 8 kHz, before any telephone line."""

    transcript: str
    is_digits: bool
    pcm: Pcm


class Speaker:
    """The espeak-ng library, once per process: it keeps its state in globals."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate_hz: int = self._espeak.espeak_Initialize(_RETRIEVAL, 0, data, 0)
        if self._rate_hz <= 0:
            raise RuntimeError("espeak-ng did not start")
        self._chunks: list[bytes] = []
        self._callback = _SampleCallback(self._keep)  # held here, or it is freed while the library still calls it
        self._espeak.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, delivery: Delivery) -> Pcm:
        """Speak one text and return it at the line's rate."""
        if self._espeak.espeak_SetVoiceByName(delivery.voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {delivery.voice}")
        for parameter, value in (
            (_RATE, delivery.words_per_min),
            (_PITCH, delivery.pitch),
            (_RANGE, delivery.pitch_range),
            (_WORD_GAP, delivery.word_gap),
        ):
            self._espeak.espeak_SetParameter(parameter, value, 0)
        self._chunks = []
        encoded = text.encode()
        self._espeak.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
        self._espeak.espeak_Synchronize()
        return _resampled(np.frombuffer(b"".join(self._chunks), dtype=np.int16), self._rate_hz)

    def _keep(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return 0


def speak(split: Split, count: int, *, seed: int, workers: int = 1) -> list[Utterance]:
    """The first `count` utterances of a split; the same arguments give the same phrases in the same voices."""
    jobs = [
        (phrase, split, f"{split}:{seed}:{index}")
        for index, phrase in enumerate(itertools.islice(phrases_of(split, seed=seed), count))
    ]
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
    )


def load(path: Path) -> list[Utterance]:
    """Read what save() wrote."""
    with np.load(path) as data:
        ends = np.cumsum(data["length"])
        pcm = np.split(data["pcm"], ends[:-1])
        return [
            Utterance(str(transcript), bool(is_digits), samples)
            for transcript, is_digits, samples in zip(data["transcript"], data["is_digits"], pcm, strict=True)
        ]


@cache
def _speaker() -> Speaker:
    return Speaker()


def _speak_one(job: tuple[Phrase, Split, str]) -> Utterance:
    phrase, split, seed = job
    delivery = _delivery(split, random.Random(seed))
    return Utterance(phrase.transcript, phrase.is_digits, _speaker().say(phrase.spoken, delivery))


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


def _resampled(samples: Pcm, rate_hz: int) -> Pcm:
    """Down to the line's rate by cutting the spectrum; the clip is a whole number of both rates' periods."""
    step, line_step = _lowest_terms(rate_hz, LINE_RATE_HZ)
    blocks = -(-len(samples) // step) + 8  # zeros behind the end keep the cut from wrapping round into the start
    spectrum = np.fft.rfft(samples.astype(np.float32), blocks * step)
    length = blocks * line_step
    resampled = np.fft.irfft(spectrum[: length // 2 + 1], length) * (line_step / step)
    end = -(-len(samples) * line_step // step)
    return np.clip(np.round(resampled[:end]), -32768, 32767).astype(np.int16)


def _lowest_terms(rate_hz: int, other_hz: int) -> tuple[int, int]:
    divisor = int(np.gcd(rate_hz, other_hz))
    return rate_hz // divisor, other_hz // divisor


def main() -> None:
    """Write one split to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split", type=Split, choices=list(Split))
    parser.add_argument("path", type=Path)
    parser.add_argument("--phrases", type=int, default=28_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    started_s = time.monotonic()
    utterances = speak(options.split, options.phrases, seed=options.seed, workers=options.workers)
    save(utterances, options.path)
    hours = sum(len(utterance.pcm) for utterance in utterances) / LINE_RATE_HZ / 3600
    print(f"{len(utterances)} utterances, {hours:.1f} h of speech, in {time.monotonic() - started_s:.0f} s")


if __name__ == "__main__":
    main()
