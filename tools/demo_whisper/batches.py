"""Training batches: every epoch sends each utterance down another line, so no two epochs sound the same."""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer
from torch import Tensor

from providers.stt.window import MARGIN_FRAMES, frames_for
from tools.demo_whisper import cuts, line, noises
from tools.demo_whisper.cuts import Cut
from tools.demo_whisper.line import FRAME_SAMPLES, LINE_RATE_HZ, Line, Samples
from tools.demo_whisper.synth import Utterance

NO_SPEECH_SHARE = 0.12
CUT_SHARE = 0.35  # of the utterances, in every epoch elsewhere
NOISE_BESIDE_SHARE = 0.12  # of the others
FRAMES_PER_BATCH = 6_500  # per process
MOST_PER_BATCH, FEWEST_PER_BATCH = 32, 6
PADDING_FRAMES = 150  # what a clip gains around its speech, on average
FRAME_STEP = 40  # few different shapes: oneDNN builds its kernels anew for each
NOISE_BLOCK = LINE_RATE_HZ // 20
IGNORED = -100  # what cross-entropy skips

_FFT, _HOP = 400, 160


@dataclass(frozen=True, slots=True)
class Special:
    """Ids of the tokens with a role."""

    end: int
    start: int
    no_speech: int
    no_timestamps: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's worth of tensors."""

    mel: Tensor  # (batch, mels, frames)
    tokens: Tensor  # (batch, length) what the decoder reads
    targets: Tensor  # (batch, length) what it must say at each place, IGNORED behind the end
    words: Tensor  # all transcripts end to end, for CTC
    word_counts: Tensor  # tokens per transcript; 0 where nobody speaks


@dataclass(frozen=True, slots=True)
class Take:
    """One clip of a batch: an utterance by its number, whole or cut; no number: a clip without speech."""

    number: int | None
    cut: Cut | None = None


class Vocabulary:
    """The tokenizer, as training needs it."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self.size: int = self._tokenizer.get_vocab_size()
        self.special = Special(
            end=self._id("endoftext"),
            start=self._id("startoftranscript"),
            no_speech=self._id("nospeech"),
            no_timestamps=self._id("notimestamps"),
        )

    def encoded(self, transcript: str) -> list[int]:
        """Token ids of one transcript; nothing for nothing."""
        return list(self._tokenizer.encode(f" {transcript}").ids) if transcript else []

    def _id(self, name: str) -> int:
        token = self._tokenizer.token_to_id(f"<|{name}|>")
        if token is None:
            raise ValueError(f"the tokenizer has no <|{name}|>")
        return int(token)


class Calls:
    """Makes the batch for a list of takes."""

    def __init__(self, utterances: list[Utterance], vocabulary: Vocabulary) -> None:
        self._pcm = [utterance.pcm for utterance in utterances]
        self._transcripts = [utterance.transcript for utterance in utterances]
        self._vocabulary = vocabulary
        self._special = vocabulary.special
        filters = FeatureExtractor.get_mel_filters(2 * LINE_RATE_HZ, _FFT, 80)
        self._filters = torch.from_numpy(filters.astype(np.float32))

    def batch(self, takes: list[Take], rng: np.random.Generator) -> Batch:
        """Draw a line for each take and lay the clips side by side."""
        longest = max(self._length(take) for take in takes)
        clips = [self._clip(take, longest, rng) for take in takes]
        words = [self._vocabulary.encoded(self._transcript(take)) for take in takes]
        frames = _frames_for(max(len(clip) for clip in clips), rng)
        sound = torch.from_numpy(np.stack([line.padded_to(clip, frames) for clip in clips]))
        mel = _masked(self._log_mel(sound), rng)
        tokens, targets = _sequences(words, self._special, [take.number is not None for take in takes])
        all_words = torch.tensor(list(itertools.chain.from_iterable(words)), dtype=torch.long)
        return Batch(mel, tokens, targets, all_words, torch.tensor([len(ids) for ids in words]))

    def _length(self, take: Take) -> int:
        if take.number is None:
            return 0
        return len(self._pcm[take.number]) if take.cut is None else take.cut.samples

    def _transcript(self, take: Take) -> str:
        if take.number is None:
            return ""
        words = self._transcripts[take.number].split()
        return " ".join(words if take.cut is None else words[: take.cut.words])

    def _clip(self, take: Take, longest: int, rng: np.random.Generator) -> Samples:
        if take.number is None:
            return noises.drawn(int(rng.integers(6, 12 + longest // NOISE_BLOCK)) * NOISE_BLOCK, rng)
        pcm = self._pcm[take.number]
        if take.cut is not None:
            return line.through(_drawn_line(rng, after_s=_behind_a_cut(rng)), pcm[: take.cut.samples], rng)
        if rng.random() < NOISE_BESIDE_SHARE:
            pcm = noises.beside(pcm, rng)
        return line.through(_drawn_line(rng, after_s=rng.uniform(0.05, 0.7)), pcm, rng)

    def _log_mel(self, sound: Tensor) -> Tensor:
        """faster-whisper's features for a whole batch at once, each clip clamped by its own loudest frame."""
        window = torch.hann_window(_FFT)
        spectrum = torch.stft(sound, _FFT, _HOP, window=window, return_complex=True)[..., :-1]
        log_mel = (self._filters @ torch.view_as_real(spectrum).square().sum(-1)).clamp(min=1e-10).log10()
        floor = log_mel.amax(dim=(1, 2), keepdim=True) - 8.0
        return (torch.maximum(log_mel, floor) + 4.0) / 4.0


class ByLength:
    """Endless lists of takes, grouped by length, since a batch costs as much as its longest clip."""

    def __init__(self, utterances: list[Utterance], *, seed: int) -> None:
        self._utterances = utterances
        self._rng = random.Random(seed)
        self._cuts = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[list[Take]]:
        while True:
            takes = [(take, length) for number in range(len(self._utterances)) for take, length in [self._take(number)]]
            takes.sort(key=lambda take: take[1] * self._rng.uniform(0.9, 1.1))
            batches = list(self._batches(takes))
            self._rng.shuffle(batches)
            yield from batches

    def _take(self, number: int) -> tuple[Take, int]:
        """The utterance as this epoch hears it, and its length in samples."""
        utterance = self._utterances[number]
        if len(utterance.spans) and self._rng.random() < CUT_SHARE:
            cut = cuts.drawn(utterance.spans, len(utterance.pcm), self._cuts)
            return Take(number, cut), cut.samples
        return Take(number), len(utterance.pcm)

    def _batches(self, takes: list[tuple[Take, int]]) -> Iterator[list[Take]]:
        at = 0
        while at < len(takes):
            frames = takes[at][1] // FRAME_SAMPLES + PADDING_FRAMES
            count = min(MOST_PER_BATCH, max(FEWEST_PER_BATCH, FRAMES_PER_BATCH // frames))
            silent = sum(self._rng.random() < NO_SPEECH_SHARE for _ in range(count - 1))
            yield [take for take, _ in takes[at : at + count - silent]] + [Take(None)] * silent
            at += count - silent


def endless(utterances: list[Utterance], vocabulary: Vocabulary, *, seed: int) -> Iterator[Batch]:
    """Batches for as long as anyone asks."""
    calls, rng = Calls(utterances, vocabulary), np.random.default_rng(seed)
    for takes in ByLength(utterances, seed=seed):
        yield calls.batch(takes, rng)


def _behind_a_cut(rng: np.random.Generator) -> float:
    """Half the time the sound ends with the cut, else some of the line's noise follows it, in seconds."""
    return 0.0 if rng.random() < 0.5 else rng.uniform(0.04, 0.16)


def _drawn_line(rng: np.random.Generator, *, after_s: float) -> Line:
    return Line(
        before_s=rng.uniform(0.05, 0.45),
        after_s=after_s,
        gain_db=rng.uniform(-18, 4),
        snr_db=rng.uniform(12, 45),
        noise_colour=rng.choice((0.0, 0.0, 1.0, 2.0)),
        is_band_passed=bool(rng.random() < 0.5),
    )


def _frames_for(samples: int, rng: np.random.Generator) -> int:
    """Half the time a short margin, because zeros cost as much as speech; else the service's least, or its bucket."""
    chance = rng.random()
    if chance < 0.2:
        return min(frames_for(samples / LINE_RATE_HZ), -(-samples // FRAME_SAMPLES) + MARGIN_FRAMES + 160)
    margin = rng.integers(10, 60) if chance < 0.7 else rng.integers(MARGIN_FRAMES, MARGIN_FRAMES + 120)
    return math.ceil((samples / FRAME_SAMPLES + int(margin)) / FRAME_STEP) * FRAME_STEP


def _masked(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """SpecAugment: two stripes of pitch and up to two short gaps per clip, at the clip's own floor."""
    for clip in mel:
        floor = clip.min()
        for _ in range(2):
            low = int(rng.integers(0, 72))
            clip[low : low + int(rng.integers(0, 9))] = floor
        for _ in range(int(rng.integers(0, 3))):
            start = int(rng.integers(0, clip.shape[1]))
            clip[:, start : start + int(rng.integers(1, 9))] = floor
    return mel


def _sequences(words: list[list[int]], special: Special, has_voice: list[bool]) -> tuple[Tensor, Tensor]:
    """What the decoder reads and must say.

    CTranslate2 takes the no-speech probability from the logits at the start token, so that place is taught
    <|nospeech|> or <|notimestamps|>, and nothing where a voice has not finished its first word; the words follow the
    second token, and where there are none the answer ends there at once.
    """
    length = max(len(ids) for ids in words) + 2
    tokens = torch.full((len(words), length), special.end)
    targets = torch.full((len(words), length), IGNORED)
    for row, (ids, is_voice) in enumerate(zip(words, has_voice, strict=True)):
        tokens[row, : len(ids) + 2] = torch.tensor([special.start, special.no_timestamps, *ids])
        first = special.no_timestamps if ids else IGNORED if is_voice else special.no_speech
        targets[row, : len(ids) + 2] = torch.tensor([first, *ids, special.end])
    return tokens, targets
