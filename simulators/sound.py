"""Telephone sound for the simulators: resampling, G.711, levels, noises, WAV files. Floats from -1 to 1."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

Floats = npt.NDArray[np.float32]
Span = tuple[float, float]
"""Start and end, in seconds."""

LINE_HZ = 8_000
_FULL_SCALE = 32_768.0
_FADE_S = 0.002
_MARGIN = 16


def from_pcm(data: bytes) -> Floats:
    """16-bit little-endian PCM to floats; an odd last byte is dropped."""
    return np.frombuffer(data[: len(data) & ~1], dtype="<i2").astype(np.float32) / np.float32(_FULL_SCALE)


def to_pcm(samples: Floats) -> bytes:
    """Floats to 16-bit little-endian PCM, clipped."""
    return bytes(np.clip(np.rint(samples * _FULL_SCALE), -32_768, 32_767).astype("<i2").tobytes())


def resampled(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """The same sound at another rate."""
    return samples if from_hz == to_hz else np.asarray(soxr.resample(samples, from_hz, to_hz), dtype=np.float32)


def level_dbfs(samples: Floats) -> float:
    """Root mean square in decibels below full scale; -120 for silence."""
    power = float(np.mean(np.square(samples))) if len(samples) else 0.0
    return 10 * float(np.log10(max(power, 1e-12)))


def at_level(samples: Floats, dbfs: float) -> Floats:
    """Scaled to a level; silence stays silence."""
    return samples * np.float32(10 ** ((dbfs - level_dbfs(samples)) / 20)) if np.any(samples) else samples


def trimmed(samples: Floats, rate_hz: int, *, below_peak_db: float = 40.0) -> Floats:
    """Without the silence before the first and after the last audible sample; the cut edges fade over 2 ms."""
    if not len(samples):
        return samples
    size = np.abs(samples)
    audible = np.flatnonzero(size > size.max() * 10 ** (-below_peak_db / 20))
    if not len(audible):
        return samples[:0]
    kept = samples[audible[0] : audible[-1] + 1].copy()
    fade = min(int(_FADE_S * rate_hz), len(kept) // 2)
    ramp = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)
    kept[:fade] *= ramp
    kept[len(kept) - fade :] *= ramp[::-1]
    return kept


def mulaw_encoded(samples: Floats) -> bytes:
    """G.711 mu-law bytes (ITU-T G.711: bias 132, eight segments of sixteen steps, complemented)."""
    linear = np.frombuffer(to_pcm(samples), dtype="<i2").astype(np.int32)
    biased = np.minimum(np.abs(linear), 32_635) + 132
    segment = np.frexp(biased)[1] - 8
    step = (biased >> (segment + 3)) & 15
    return bytes((~(np.where(linear < 0, 128, 0) | (segment << 4) | step) & 255).astype(np.uint8))


def mulaw_decoded(data: bytes) -> Floats:
    """The samples of G.711 mu-law bytes."""
    code = ~np.frombuffer(data, dtype=np.uint8).astype(np.int32) & 255
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return (np.where(code & 128, -size, size) / _FULL_SCALE).astype(np.float32)


def joined(
    pieces: Sequence[Floats], pauses_s: Sequence[float], rate_hz: int
) -> tuple[Floats, list[tuple[float, float]]]:
    """Pieces with silence of `pauses_s[i]` after piece i (none after the last), and where each lies, in seconds."""
    parts: list[Floats] = []
    spans: list[Span] = []
    at = 0
    for index, piece in enumerate(pieces):
        spans.append((at / rate_hz, (at + len(piece)) / rate_hz))
        pause = round(pauses_s[index] * rate_hz) if index < len(pauses_s) else 0
        parts += [piece, np.zeros(pause, dtype=np.float32)]
        at += len(piece) + pause
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32), spans


def cough(rate_hz: int, rng: np.random.Generator, *, seconds: float = 0.4) -> Floats:
    """Two bursts of falling noise with a breath between them: sound a listener must not take for words."""
    parts = []
    for share, size in ((0.35, 1.0), (0.15, 0.02), (0.5, 1.0)):
        length = int(share * seconds * rate_hz)
        burst = rng.standard_normal(length + _MARGIN).astype(np.float32)
        soft = np.convolve(burst, np.hanning(_MARGIN + 1) / (_MARGIN / 2), mode="valid")[:length]
        parts.append(soft * np.exp(-5 * np.arange(length) / length) * size)
    return np.concatenate(parts).astype(np.float32)


class Widener:
    """A stream at the line's rate brought up to 16 or 24 kHz piece by piece; a delay of 2 ms, no seams."""

    def __init__(self, to_hz: int) -> None:
        self._factor = to_hz // LINE_HZ
        taps = 2 * _MARGIN * self._factor
        at = (np.arange(taps) - (taps - 1) / 2) / self._factor
        self._taps = (np.sinc(at) * np.kaiser(taps, 8.0)).astype(np.float32)
        self._history = np.zeros(2 * _MARGIN, dtype=np.float32)

    def feed(self, samples: Floats) -> Floats:
        """The next samples at the higher rate: exactly as many times more as the rate is higher."""
        if self._factor == 1:
            return samples
        data = np.concatenate([self._history, samples])
        spread = np.zeros(len(data) * self._factor, dtype=np.float32)
        spread[:: self._factor] = data
        self._history = data[-2 * _MARGIN :]
        filtered = np.convolve(spread, self._taps)
        return filtered[2 * _MARGIN * self._factor : len(spread)].astype(np.float32)


def save_stereo(path: Path, left: Floats, right: Floats, rate_hz: int) -> None:
    """A 16-bit stereo WAV; the shorter side is followed by silence."""
    sides = np.zeros((max(len(left), len(right)), 2), dtype=np.float32)
    sides[: len(left), 0], sides[: len(right), 1] = left, right
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(to_pcm(sides.reshape(-1)))
