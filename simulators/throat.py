"""A cough with a voice in it, which a voice-activity detector takes for speech and a recogniser must not. Pure.

Source and filter: glottal pulses and breath through the resonances of a vocal tract (Fant 1960), whose first three
formants are those of Peterson and Barney's open vowel.
"""

import numpy as np
import numpy.typing as npt

from simulators.sound import Floats

Samples = npt.NDArray[np.float64]

OPEN_VOWEL = ((730.0, 90.0), (1090.0, 110.0), (2440.0, 170.0))
"""Formants: frequency and bandwidth in hertz."""
_RESPONSE_S = 0.04
_HACKS = 2
_COUGH_HZ = 110.0


def hacking_cough(count: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Two hacks from deep in the throat, half breath and half voice, of power 1."""
    if count == 0:
        return np.zeros(0, dtype=np.float32)
    at = np.arange(count) / rate_hz
    hack_s = count / rate_hz / _HACKS
    pulses = _pulses(_COUGH_HZ * np.exp(-0.8 * at), rate_hz) * 8 * (1 + 0.3 * rng.standard_normal(count))
    source = (0.5 * rng.standard_normal(count) + pulses) * np.exp(-6 * (at % hack_s) / hack_s)
    return _at_unity(_through_tract(source, rate_hz))


def _pulses(pitches_hz: Samples, rate_hz: int) -> Samples:
    """One for the first sample of each cycle, else zero."""
    cycles = np.floor(np.cumsum(pitches_hz) / rate_hz)
    return np.diff(cycles, prepend=0.0).clip(0, 1)


def _through_tract(source: Samples, rate_hz: int) -> Samples:
    """The source through each resonance in turn."""
    at = np.arange(int(_RESPONSE_S * rate_hz)) / rate_hz
    for hz, width_hz in OPEN_VOWEL:
        response = np.exp(-np.pi * width_hz * at) * np.sin(2 * np.pi * hz * (at + 1 / rate_hz))
        source = np.convolve(source, response)[: len(source)]
    return source


def _at_unity(samples: Samples) -> Floats:
    power = float(np.mean(np.square(samples)))
    return np.asarray(samples / np.sqrt(max(power, 1e-12)), dtype=np.float32)
