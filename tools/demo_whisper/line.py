"""The telephone line between a mouth and the recogniser: noise, band, mu-law at 8 kHz, then up to 16 kHz.

Pure functions on numpy arrays. Training draws its lines at random; evaluation uses one fixed line.
"""

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.sound import mulaw_decode, mulaw_encode

Samples: TypeAlias = npt.NDArray[np.float32]  # full scale is 1.0

LINE_RATE_HZ = 8_000
FRAME_SAMPLES = 80  # one mel frame, 10 ms, at the line's rate
BAND_HZ = (300.0, 3_400.0)

_TAPS = 32
_RECORDING_SAMPLES = 300 * LINE_RATE_HZ
_BLOCK = 400  # clips are whole blocks long: a length with small factors makes the transforms cheap


@dataclass(frozen=True, slots=True)
class Line:
    """What one call does to one utterance."""

    before_s: float
    after_s: float
    gain_db: float
    snr_db: float
    noise_colour: float  # 0 white, 1 pink, 2 brown: the exponent of the falling power spectrum
    is_band_passed: bool


_EVERY_SAMPLE: Samples = (np.arange(-32_768, 32_768) / 32_768).astype(np.float32)
_ROUND_TRIP = mulaw_decode(mulaw_encode(_EVERY_SAMPLE))
_INTERPOLATOR = np.asarray(np.sinc(np.arange(_TAPS) - (_TAPS - 1) / 2) * np.kaiser(_TAPS, 8.0), dtype=np.float32)


def mu_law_round_trip(samples: Samples) -> Samples:
    """What is left of a signal after clipping, G.711 coding and decoding."""
    linear = np.clip(samples * 32_768, -32_768, 32_767).astype(np.int32)
    return _ROUND_TRIP[linear + 32_768]


def doubled_rate(samples: Samples) -> Samples:
    """8 to 16 kHz through a half-band filter: the even phase is the input, the odd one is interpolated.

    The service's own filter (models/sound.py) without its streaming: training doubles the rate of every clip anew.
    """
    between = np.convolve(samples, _INTERPOLATOR / _INTERPOLATOR.sum())[_TAPS // 2 :][: len(samples)]
    doubled = np.empty(2 * len(samples), dtype=np.float32)
    doubled[0::2], doubled[1::2] = samples, between
    return doubled


def coloured_noise(length: int, colour: float, rng: np.random.Generator) -> Samples:
    """Noise of power 1 whose spectrum falls with the frequency to the power `colour`."""
    noise = rng.standard_normal(length, dtype=np.float32)
    if colour == 0:
        return noise
    spectrum = np.fft.rfft(noise)
    frequency_hz = np.fft.rfftfreq(length, 1 / LINE_RATE_HZ)
    spectrum *= np.maximum(frequency_hz, 30.0) ** (-colour / 2)
    coloured = np.fft.irfft(spectrum, length)
    return np.asarray(coloured / (coloured.std() + 1e-9), dtype=np.float32)


def background(length: int, colour: float, rng: np.random.Generator) -> Samples:
    """A piece of one long recording of noise of this colour: far cheaper than making new noise for every clip."""
    recording = _recorded(colour)
    start = int(rng.integers(0, len(recording) - length))
    return recording[start : start + length]


def band_passed(samples: Samples, rng: np.random.Generator) -> Samples:
    """The band of an analogue telephone, its edges a little different on each line."""
    spectrum = np.fft.rfft(samples)
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / LINE_RATE_HZ)
    low_hz, high_hz = BAND_HZ[0] * rng.uniform(0.7, 1.2), BAND_HZ[1] * rng.uniform(0.92, 1.05)
    rise = 1 / (1 + (low_hz / np.maximum(frequency_hz, 1.0)) ** 6)
    fall = 1 / (1 + (frequency_hz / high_hz) ** 24)
    return np.asarray(np.fft.irfft(spectrum * rise * fall, len(samples)), dtype=np.float32)


def through(line: Line, pcm: npt.NDArray[np.int16], rng: np.random.Generator) -> Samples:
    """One utterance as the far end of the line receives it, at 8 kHz. What makes up whole blocks comes before it."""
    start, end = int(line.before_s * LINE_RATE_HZ), int(line.after_s * LINE_RATE_HZ)
    length = -(-(start + len(pcm) + end) // _BLOCK) * _BLOCK
    start = length - len(pcm) - end
    speech = np.zeros(length, np.float32)
    speech[start : start + len(pcm)] = pcm.astype(np.float32) / 32_768
    loudness = float(np.sqrt(np.mean(np.square(speech)))) + 1e-5
    noise = background(len(speech), line.noise_colour, rng) * (loudness * 10 ** (-line.snr_db / 20))
    received = band_passed(speech + noise, rng) if line.is_band_passed else speech + noise
    return mu_law_round_trip(received * np.float32(10 ** (line.gain_db / 20)))


def padded_to(received: Samples, frames: int) -> Samples:
    """Pad with zero sound, never with zero features, to an exact count of mel frames, and double the rate."""
    padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
    padded[: len(received)] = received[: len(padded)]
    return doubled_rate(padded)


@cache
def _recorded(colour: float) -> Samples:
    return coloured_noise(_RECORDING_SAMPLES, colour, np.random.default_rng(int(colour * 100)))
