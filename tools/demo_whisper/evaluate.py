"""Measures a model directory through the service's own recogniser: held-out voices and phrases, then noise.

Needs no torch. Prints word error rates (all, digit strings, the rest), what the gates refused, and the words that
silence and noise draw out in windows such as a voice detector would never send.
"""

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.sound import mulaw_encode
from providers.roles import SpeechAudio, Transcript
from providers.stt.whisper import Whisper
from tools.demo_whisper import line, noises
from tools.demo_whisper.corpus import Split
from tools.demo_whisper.line import LINE_RATE_HZ, Line, Samples
from tools.demo_whisper.synth import Utterance, load, speak

GAIN_DB = -3.0
SILENCE_AROUND_S = 0.45  # of what reaches the recogniser, on average, is not speech
NOISE_S = 60.0
WINDOWS_S = (3.0, 6.0)
NOISES: dict[str, tuple[noises.Noise, Sequence[float]]] = {
    "silence": (noises.silence, (0.0,)),
    "white noise": (noises.white, (-50.0, -35.0, -20.0)),
    "brown noise": (noises.brown, (-50.0, -35.0, -20.0)),
    "mains hum": (noises.hum, (-50.0, -35.0, -20.0)),
}


@dataclass(slots=True)
class Score:
    """Word errors of one group of phrases."""

    errors: int = 0
    words: int = 0
    phrases: int = 0
    exact: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, said: str, heard: Transcript) -> None:
        """Count one phrase; a refused one counts as all its words missed."""
        errors = word_errors(said.split(), heard.text.split())
        self.errors += errors
        self.words += len(said.split())
        self.phrases += 1
        self.exact += errors == 0
        self.refused[heard.rejected or ""] += 1

    def __str__(self) -> str:
        refused = sum(self.refused.values()) - self.refused[""]
        return (
            f"WER {self.errors / max(1, self.words):6.1%}  ({self.errors} of {self.words} words, "
            f"{self.phrases} phrases, {self.exact} exact, {refused} refused)"
        )


def word_errors(said: list[str], heard: list[str]) -> int:
    """Edit distance in words."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(heard, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


def measure_speech(
    recogniser: Whisper, utterances: list[Utterance], *, snr_db: float, show: Callable[[str], None] | None = None
) -> dict[str, Score]:
    """Word error rates over utterances, each down a line with white noise this far below the speech."""
    scores = {"all": Score(), "digit strings": Score(), "other": Score()}
    rng = np.random.default_rng(0)
    for utterance in utterances:
        quiet = Line(
            before_s=rng.uniform(0.2, 0.3),
            after_s=rng.uniform(0.2, 0.5),
            gain_db=GAIN_DB,
            snr_db=snr_db,
            noise_colour=0.0,
            is_band_passed=False,
        )
        heard = _heard(recogniser, line.through(quiet, utterance.pcm, rng))
        for group in ("all", "digit strings" if utterance.is_digits else "other"):
            scores[group].add(utterance.transcript, heard)
        if show is not None and heard.text != utterance.transcript:
            show(f"  {utterance.transcript!r} heard as {heard.text!r} {heard.rejected or ''}")
    return scores


def measure_noise(recogniser: Whisper, noise: noises.Noise, levels_db: Sequence[float]) -> tuple[int, Counter[str]]:
    """Words over a minute at each level in windows of each size, and how each window ended."""
    words, ends = 0, Counter[str]()
    rng = np.random.default_rng(1)
    for level_db, window_s in itertools.product(levels_db, WINDOWS_S):
        minute = noises.on_the_line(noise(int(NOISE_S * LINE_RATE_HZ), rng), level_db)
        for window in np.split(minute, round(NOISE_S / window_s)):
            heard = _heard(recogniser, window)
            words += len(heard.text.split())
            ends[heard.rejected or "words"] += 1
    return words, ends


def _heard(recogniser: Whisper, received: Samples) -> Transcript:
    speech_s = max(0.25, len(received) / LINE_RATE_HZ - SILENCE_AROUND_S)
    audio = SpeechAudio(mulaw=mulaw_encode(received), rate_hz=LINE_RATE_HZ, speech_s=speech_s)
    return recogniser.transcribe(audio, is_late=lambda: False)


def main() -> None:
    """Print the figures of one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--phrases", type=int, default=480)
    parser.add_argument("--data", type=Path, help="utterances already spoken by synth.py")
    parser.add_argument("--snr-db", type=float, default=35.0)
    parser.add_argument("--show-errors", action="store_true")
    options = parser.parse_args()
    recogniser = Whisper(str(options.directory), device="cpu", compute_type="int8", threads=1)
    utterances = load(options.data) if options.data else speak(Split.TEST, options.phrases, seed=1)
    show = print if options.show_errors else None
    for group, score in measure_speech(recogniser, utterances, snr_db=options.snr_db, show=show).items():
        print(f"{group:14} {score}")
    for name, (noise, levels_db) in NOISES.items():
        words, ends = measure_noise(recogniser, noise, levels_db)
        print(f"{name:14} {words} words from {ends.total()} windows, which ended as {dict(ends)}")


if __name__ == "__main__":
    main()
