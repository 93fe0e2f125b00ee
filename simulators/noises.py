"""What a telephone line carries when nobody speaks: hiss, hum, music on hold, the network's own tones. Pure.

Each sound is a function of its length, rate and randomness, and has power 1 (0 dB) where it sounds: whoever plays it
sets the level. Cadences and frequencies of ringing and busy tones: ITU-T E.180 supplement 2.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from simulators.sound import LINE_HZ, Floats
from simulators.throat import hacking_cough

Noise: TypeAlias = Callable[[int, int, np.random.Generator], Floats]
"""Number of samples, rate in hertz, randomness."""

BEEP_HZ = 1_000.0
_FADE_S = 0.005
_LOWEST_HZ = 20.0
_CHORDS_HZ = (
    (261.6, 329.6, 392.0),
    (220.0, 261.6, 329.6),
    (174.6, 220.0, 261.6),
    (196.0, 246.9, 293.7),
)
"""C, A minor, F and G in the octave around middle C, equal temperament."""
_BAR_S = 2.0
_NOTE_S = 0.25
_COUGH_S, _COUGH_EVERY_S = 0.7, 3.0


def silence(count: int, _rate_hz: int, _rng: np.random.Generator) -> Floats:
    """Nothing: what the line itself adds remains."""
    return np.zeros(count, dtype=np.float32)


def white(count: int, _rate_hz: int, rng: np.random.Generator) -> Floats:
    """Hiss: equal power at every frequency."""
    return rng.standard_normal(count, dtype=np.float32)


def brown(count: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Rumble, as of traffic or wind: power falls with the square of the frequency, from 20 Hz up."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    return _at_unity(np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(count, 1 / rate_hz), _LOWEST_HZ), count))


def hum(count: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Mains hum: 50 Hz with falling harmonics."""
    at = np.arange(count) / rate_hz
    waves = [np.sin(2 * np.pi * 50 * n * at + rng.uniform(0, 2 * np.pi)) / n for n in range(1, 9)]
    return _at_unity(np.sum(waves, axis=0))


def hold_music(count: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Soft chords of two seconds under a melody of quarter-second plucked notes drawn from them."""
    out = np.zeros(count)
    bar, note = int(_BAR_S * rate_hz), int(_NOTE_S * rate_hz)
    for start in range(0, count, bar):
        chord = _CHORDS_HZ[start // bar % len(_CHORDS_HZ)]
        out[start : start + bar] += _notes(chord, min(bar, count - start), rate_hz)
        for at in range(start, min(start + bar, count), note):
            pitch = 2 * float(rng.choice(chord))
            length = min(note, count - at)
            out[at : at + length] += 2 * _notes((pitch,), length, rate_hz) * np.exp(-4 * np.arange(length) / note)
    return _at_unity(out)


def ringback_us(count: int, rate_hz: int, _rng: np.random.Generator) -> Floats:
    """North America's ringing tone: 440 and 480 Hz, 2 s on, 4 s off."""
    return _tones((440, 480), (2.0, 4.0), count, rate_hz)


def ringback_uk(count: int, rate_hz: int, _rng: np.random.Generator) -> Floats:
    """Britain's and India's: 400 and 450 Hz, 0.4 s on, 0.2 off, 0.4 on, 2 off."""
    return _tones((400, 450), (0.4, 0.2, 0.4, 2.0), count, rate_hz)


def busy(count: int, rate_hz: int, _rng: np.random.Generator) -> Floats:
    """North America's busy tone: 480 and 620 Hz, half a second on and off."""
    return _tones((480, 620), (0.5, 0.5), count, rate_hz)


def beep(count: int, rate_hz: int, _rng: np.random.Generator) -> Floats:
    """An answering machine's tone of 1 kHz."""
    return _tones((BEEP_HZ,), (count / rate_hz, 0.0), count, rate_hz)


def coughing(count: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Somebody with a cold: a cough of 0.7 s with voice in it every 3 s, each of power 1."""
    out = np.zeros(count, dtype=np.float32)
    for start in range(0, count, int(_COUGH_EVERY_S * rate_hz)):
        length = min(int(_COUGH_S * rate_hz), count - start)
        out[start : start + length] = hacking_cough(length, rate_hz, rng)
    return out


SOUNDS: dict[str, Noise] = {
    "silence": silence,
    "white": white,
    "brown": brown,
    "hum": hum,
    "hold_music": hold_music,
    "ringback_us": ringback_us,
    "ringback_uk": ringback_uk,
    "busy": busy,
    "beep": beep,
    "coughing": coughing,
}


def sound_of(name: str, seconds: float, seed: int) -> Floats:
    """One of SOUNDS at the line's rate; raises KeyError."""
    return SOUNDS[name](round(seconds * LINE_HZ), LINE_HZ, np.random.default_rng(seed))


def _notes(pitches_hz: Sequence[float], count: int, rate_hz: int) -> npt.NDArray[np.float64]:
    at = np.arange(count) / rate_hz
    waves = [np.sin(2 * np.pi * hz * at) + 0.3 * np.sin(4 * np.pi * hz * at) for hz in pitches_hz]
    return np.asarray(np.sum(waves, axis=0) * _faded(count, rate_hz), dtype=np.float64)


def _tones(pitches_hz: Sequence[float], cadence_s: Sequence[float], count: int, rate_hz: int) -> Floats:
    """Sines together, switched on and off in turn without clicks; power 1 while on."""
    at = np.arange(count) / rate_hz
    wave = np.sum([np.sin(2 * np.pi * hz * at) for hz in pitches_hz], axis=0) * np.sqrt(2 / len(pitches_hz))
    gate, start, index = np.zeros(count), 0, 0
    while start < count and sum(cadence_s) > 0:
        length = min(round(cadence_s[index % len(cadence_s)] * rate_hz), count - start)
        if index % 2 == 0:
            gate[start : start + length] = _faded(length, rate_hz)
        start, index = start + length, index + 1
    return np.asarray(wave * gate, dtype=np.float32)


def _faded(count: int, rate_hz: int) -> npt.NDArray[np.float64]:
    """Ones with 5 ms of rise and fall."""
    fade = min(int(_FADE_S * rate_hz), count // 2)
    ramp, gate = np.linspace(0, 1, fade, endpoint=False), np.ones(count)
    gate[:fade] = ramp
    gate[count - fade :] = ramp[::-1]
    return gate


def _at_unity(samples: npt.NDArray[np.float64]) -> Floats:
    power = float(np.mean(np.square(samples))) if len(samples) else 0.0
    return np.asarray(samples / np.sqrt(max(power, 1e-12)), dtype=np.float32)
