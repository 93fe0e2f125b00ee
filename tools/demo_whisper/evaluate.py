"""Measures a model directory through the service's own recogniser: held-out voices and phrases, then noise.

Needs no torch. Prints for each kind of utterance, and for whole phrases cut off at a moment as partial decoding cuts
them, the word error rate, how many answers had more words than were said, and what the gates refused; then the words
that noises draw out in windows such as a voice detector would never send.
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
from tools.demo_whisper import cuts, line, noises
from tools.demo_whisper.corpus import Kind, Split
from tools.demo_whisper.line import LINE_RATE_HZ, Line, Samples
from tools.demo_whisper.synth import Utterance, speak

GAIN_DB = -3.0
SILENCE_AROUND_S = 0.45  # of what reaches the recogniser, on average, is not speech
NOISE_S = 60.0
WINDOWS_S = (3.0, 6.0)
LEVELS_DB = (-50.0, -35.0, -20.0)  # below full scale
CUT = "cut"
GROUPS = (*(kind.value for kind in Kind), CUT, "noise")


@dataclass(slots=True)
class Score:
    """Word errors of one group of phrases."""

    errors: int = 0
    words: int = 0
    phrases: int = 0
    exact: int = 0
    invented: int = 0  # phrases heard with more words than were said
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, said: str, heard: Transcript) -> None:
        """Count one phrase; a refused one counts as all its words missed."""
        errors = word_errors(said.split(), heard.text.split())
        self.invented += len(heard.text.split()) > len(said.split())
        self.errors += errors
        self.words += len(said.split())
        self.phrases += 1
        self.exact += errors == 0
        self.refused[heard.rejected or ""] += 1

    def __str__(self) -> str:
        refused = sum(self.refused.values()) - self.refused[""]
        return (
            f"WER {self.errors / max(1, self.words):6.1%}  ({self.errors} of {self.words} words; "
            f"{self.phrases} phrases, {self.exact} exact, {self.invented} with a word too many, {refused} refused)"
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
    recogniser: Whisper,
    utterances: list[Utterance],
    *,
    snr_db: float,
    is_cut: bool = False,
    show: Callable[[str], None] | None = None,
) -> dict[str, Score]:
    """Word error rates over utterances, each down a line with white noise this far below the speech.

    `is_cut`: each ends at a random moment, with nothing behind it, and only what was spoken until then counts as said.
    """
    scores = {"all": Score(), "digit strings": Score(), "other": Score()}
    rng, moments = np.random.default_rng(0), np.random.default_rng(2)
    for utterance in utterances:
        quiet = Line(
            before_s=rng.uniform(0.2, 0.3),
            after_s=rng.uniform(0.2, 0.5) * (not is_cut),
            gain_db=GAIN_DB,
            snr_db=snr_db,
            noise_colour=0.0,
            is_band_passed=False,
        )
        said, pcm = utterance.transcript, utterance.pcm
        if is_cut:
            cut = cuts.drawn(utterance.spans, len(pcm), moments)
            said, pcm = " ".join(said.split()[: cut.words]), pcm[: cut.samples]
        heard = _heard(recogniser, line.through(quiet, pcm, rng))
        for group in ("all", "digit strings" if utterance.is_digits else "other"):
            scores[group].add(said, heard)
        if show is not None and heard.text != said:
            show(f"  {said!r} heard as {heard.text!r} {heard.rejected or ''}")
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
    parser.add_argument("--phrases", type=int, default=480, help="of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the phrases and their voices")
    parser.add_argument("--snr-db", type=float, default=35.0)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--show-errors", action="store_true")
    options = parser.parse_args()
    recogniser = Whisper(str(options.directory), device="cpu", compute_type="int8", threads=1)
    for name in options.only:
        if name == "noise":
            _print_noises(recogniser)
        else:
            _print_speech(recogniser, name, options)


def _print_speech(recogniser: Whisper, name: str, options: argparse.Namespace) -> None:
    kind = Kind.WHOLE if name == CUT else Kind(name)
    utterances = speak(Split.TEST, options.phrases, seed=options.seed, kind=kind)
    show = print if options.show_errors else None
    scores = measure_speech(recogniser, utterances, snr_db=options.snr_db, is_cut=name == CUT, show=show)
    for group, score in scores.items():
        if score.phrases and (group == "all" or kind is Kind.WHOLE):
            print(f"{name:8} {group:14} {score}", flush=True)


def _print_noises(recogniser: Whisper) -> None:
    for noise in dict.fromkeys(noises.KINDS):
        words, ends = measure_noise(recogniser, noise, LEVELS_DB)
        print(
            f"noise    {noise.__name__:14} {words} words from {ends.total()} windows, which ended as {dict(ends)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
