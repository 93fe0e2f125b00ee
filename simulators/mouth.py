"""The caller's end of the line: continuous noise, with utterances mixed in where they are spoken. Pure.

Positions are samples at the line's 8 kHz since the call was answered. What is read once is spoken: the wire is never
silent and never repeats.
"""

from dataclasses import dataclass

import numpy as np

from simulators.sound import Floats, at_level, level_dbfs, mulaw_decoded, mulaw_encoded


@dataclass(frozen=True, slots=True)
class Line:
    """The telephone line's quality. `snr_db` is the noise under speech only, relative to it."""

    speech_dbfs: float = -20.0
    noise_dbfs: float = -65.0
    snr_db: float = 30.0
    gain_db: float = 0.0


class Mouth:
    """Mixes one call's outgoing sound; `seed` makes its noise repeatable."""

    def __init__(self, line: Line, *, seed: int = 0) -> None:
        self._line = line
        self._random = np.random.default_rng(seed)
        self._clips: list[tuple[int, Floats]] = []
        self._read: list[Floats] = []
        self.position = 0

    def say(self, samples: Floats, at: int, *, dbfs: float | None = None) -> tuple[int, int]:
        """Mix a sound in, at `at` or as soon after as the wire allows; returns where it starts and ends.

        It is speech at the line's level, with the line's noise under it; with `dbfs`, any sound with that gain.
        """
        start = max(at, self.position)
        clip = self._speech(samples) if dbfs is None else samples * np.float32(10 ** (dbfs / 20))
        self._clips.append((start, clip))
        return start, start + len(clip)

    def read(self, count: int) -> Floats:
        """The next `count` samples as they leave the line: with noise, gain, and through mu-law."""
        out = at_level(self._noise(count), self._line.noise_dbfs)
        for start, clip in self._clips:
            first, last = max(start, self.position), min(start + len(clip), self.position + count)
            if first < last:
                out[first - self.position : last - self.position] += clip[first - start : last - start]
        self.position += count
        self._clips = [(start, clip) for start, clip in self._clips if start + len(clip) > self.position]
        line = mulaw_decoded(mulaw_encoded(out * np.float32(10 ** (self._line.gain_db / 20))))
        self._read.append(line)
        return line

    def spoken(self) -> Floats:
        """Everything read so far."""
        return np.concatenate(self._read) if self._read else np.zeros(0, dtype=np.float32)

    def _speech(self, samples: Floats) -> Floats:
        """Pauses inside the speech do not make the rest of it louder."""
        spoken = samples[samples != 0]
        if not len(spoken):
            return samples
        speech = samples * np.float32(10 ** ((self._line.speech_dbfs - level_dbfs(spoken)) / 20))
        return speech + at_level(self._noise(len(speech)), self._line.speech_dbfs - self._line.snr_db)

    def _noise(self, count: int) -> Floats:
        return self._random.standard_normal(count, dtype=np.float32)
