"""Measures a model directory the way the service uses it: held-out voices and phrases, then silence and noise.

Needs no torch. Prints word error rates (all, digit strings, the rest) and the words that noise draws out.
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer

from tools.demo_whisper import line, noises
from tools.demo_whisper.corpus import Split
from tools.demo_whisper.line import FRAME_SAMPLES, LINE_RATE_HZ, Line, Samples
from tools.demo_whisper.synth import Utterance, load, speak

LEAST_LOG_PROB = -1.3
NO_SPEECH_PROB = 0.6
NO_SPEECH_LOG_PROB = -1.0
CAP_TOKENS, CAP_TOKENS_PER_S = 8, 7.0
MOST_TOKENS_PER_S = 7.0 * 1.5
REPEATS = 4  # of one to six words in a row

NOISE_S = 60.0
WINDOWS_S = (2.0, 6.0)
NOISES: dict[str, tuple[noises.Noise, Sequence[float]]] = {
    "silence": (noises.silence, (0.0,)),
    "white noise": (noises.white, (-60.0, -45.0, -30.0, -20.0)),
    "brown noise": (noises.brown, (-60.0, -45.0, -30.0, -20.0)),
    "mains hum": (noises.hum, (-60.0, -45.0, -30.0)),
}

DIGIT_WORDS = frozenset("zero oh one two three four five six seven eight nine double".split())


@dataclass(frozen=True, slots=True)
class Heard:
    """One decoded clip with what the gates look at."""

    text: str
    tokens: int
    log_prob: float  # average, the end token included
    no_speech_prob: float
    sound_s: float
    is_cut: bool  # the token cap was hit before the end token

    @property
    def refusal(self) -> str | None:
        """The gate that throws this away, or None."""
        if self.is_cut:
            return "token cap"
        if self.log_prob < LEAST_LOG_PROB:
            return "log probability"
        if self.no_speech_prob > NO_SPEECH_PROB and self.log_prob < NO_SPEECH_LOG_PROB:
            return "no speech"
        if self.tokens / self.sound_s > MOST_TOKENS_PER_S:
            return "too fast"
        return "repetition" if _repeats(self.text.split()) else None


class Recogniser:
    """The model behind the service's own feature path."""

    def __init__(self, directory: Path) -> None:
        self._model = ctranslate2.models.Whisper(str(directory), device="cpu", compute_type="int8",
                                                 inter_threads=1, intra_threads=1)
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._prompt = [self._tokenizer.token_to_id(f"<|{name}|>") for name in ("startoftranscript", "notimestamps")]
        self._features = FeatureExtractor(feature_size=80)

    def hear(self, received: Samples) -> Heard:
        """Decode one clip of the line."""
        sound_s = len(received) / LINE_RATE_HZ
        cap = int(CAP_TOKENS + CAP_TOKENS_PER_S * sound_s)
        frames = line.bucket_for(len(received))
        mel = self._features(line.padded_to(received, frames), padding=0)
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None], dtype=np.float32))
        result = self._model.generate(self._model.encode(features), [self._prompt], beam_size=1,
                                      max_length=2 * cap,  # CTranslate2 generates at most half of it
                                      return_scores=True, return_no_speech_prob=True)[0]
        ids = result.sequences_ids[0]
        return Heard(text=self._tokenizer.decode(ids).strip(), tokens=len(ids), sound_s=sound_s,
                     log_prob=result.scores[0] * len(ids) / (len(ids) + 1) if ids else result.scores[0],
                     no_speech_prob=result.no_speech_prob, is_cut=len(ids) >= cap)


@dataclass(slots=True)
class Score:
    """Word errors of one group of phrases."""

    errors: int = 0
    words: int = 0
    phrases: int = 0
    exact: int = 0
    refused: int = 0

    def add(self, said: list[str], heard: Heard) -> None:
        """Count one phrase."""
        errors = word_errors(said, heard.text.split())
        self.errors += errors
        self.words += len(said)
        self.phrases += 1
        self.exact += errors == 0
        self.refused += heard.refusal is not None

    def __str__(self) -> str:
        return (f"WER {self.errors / max(1, self.words):6.1%}  ({self.errors} of {self.words} words, "
                f"{self.phrases} phrases, {self.exact} exact, {self.refused} refused by the gates)")


def word_errors(said: list[str], heard: list[str]) -> int:
    """Edit distance in words."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(heard, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


def _repeats(words: list[str]) -> bool:
    """Whether one to six words come four times running; digits may."""
    for size in range(1, 7):
        for start in range(len(words) - size * REPEATS + 1):
            group = words[start : start + size]
            if words[start : start + size * REPEATS] == group * REPEATS and not DIGIT_WORDS.issuperset(group):
                return True
    return False


def measure_speech(recogniser: Recogniser, utterances: list[Utterance], *, snr_db: float,
                   show: Callable[[str], None] | None = None) -> dict[str, Score]:
    """Word error rates over utterances, each through the same quiet line."""
    scores = {"all": Score(), "digit strings": Score(), "other": Score()}
    rng = np.random.default_rng(0)
    for utterance in utterances:
        quiet = Line(before_s=rng.uniform(0.2, 0.3), after_s=rng.uniform(0.2, 0.5), gain_db=-3.0, snr_db=snr_db,
                     noise_colour=0.0, is_band_passed=False)
        heard = recogniser.hear(line.through(quiet, utterance.pcm, rng))
        said = utterance.transcript.split()
        for group in ("all", "digit strings" if utterance.is_digits else "other"):
            scores[group].add(said, heard)
        if show is not None and heard.text != utterance.transcript:
            show(f"  {utterance.transcript!r} heard as {heard.text!r} ({heard.log_prob:.2f})")
    return scores


def measure_noise(recogniser: Recogniser, noise: noises.Noise, levels_db: Sequence[float]) -> tuple[int, int, int]:
    """Words before the gates, words after them, and windows, over a minute at each level in windows of each size."""
    before = after = windows = 0
    rng = np.random.default_rng(1)
    for level_db, window_s in itertools.product(levels_db, WINDOWS_S):
        minute = noises.on_the_line(noise(int(NOISE_S * LINE_RATE_HZ), rng), level_db)
        size = int(window_s * LINE_RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
        for start in range(0, len(minute) - size + 1, size):
            heard = recogniser.hear(minute[start : start + size])
            words = len(heard.text.split())
            before, after, windows = before + words, after + words * (heard.refusal is None), windows + 1
    return before, after, windows


def main() -> None:
    """Print the figures of one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--phrases", type=int, default=480)
    parser.add_argument("--data", type=Path, help="utterances already spoken by synth.py")
    parser.add_argument("--snr-db", type=float, default=35.0)
    parser.add_argument("--show-errors", action="store_true")
    options = parser.parse_args()
    recogniser = Recogniser(options.directory)
    utterances = load(options.data) if options.data else speak(Split.TEST, options.phrases, seed=1)
    show = print if options.show_errors else None
    for group, score in measure_speech(recogniser, utterances, snr_db=options.snr_db, show=show).items():
        print(f"{group:14} {score}")
    for name, (noise, levels_db) in NOISES.items():
        before, after, windows = measure_noise(recogniser, noise, levels_db)
        print(f"{name:14} {after} words after the gates ({before} before them) in {windows} windows")


if __name__ == "__main__":
    main()
