"""What a line carries when nobody speaks: hiss, hum, music, the network's tones, coughs, breaths, knocks, at 8 kHz.

Training teaches the model to write nothing for these; evaluation counts the words they draw out of it.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tools.demo_whisper.line import LINE_RATE_HZ, Samples, band_passed, coloured_noise, mu_law_round_trip

Noise: TypeAlias = Callable[[int, np.random.Generator], Samples]  # sample count -> samples of power about 1

TONES_HZ = (
    (350, 440),
    (440, 480),
    (480, 620),
    (425, 425),
    (400, 450),
    (1000, 1000),
    (697, 1209),
    (770, 1336),
    (852, 1477),
    (941, 1336),
    (697, 1477),
    (770, 1209),
    (852, 1209),
)  # dial, ringing, busy, and keys
CADENCES: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = (
    ((440.0, 480.0), (2.0, 4.0)),
    ((400.0, 450.0), (0.4, 0.2, 0.4, 2.0)),
    ((425.0,), (1.0, 4.0)),
    ((480.0, 620.0), (0.5, 0.5)),
    ((480.0, 620.0), (0.25, 0.25)),
    ((400.0,), (0.75, 0.75)),
    ((425.0,), (0.5, 0.5)),
    ((1_000.0,), (0.4, 3.0)),
)  # hertz; seconds on and off in turn: ringing, busy, congestion (ITU-T E.180 supplement 2), a mailbox's beep
QUIETEST_DB, LOUDEST_DB = -75.0, -16.0


def silence(length: int, _rng: np.random.Generator) -> Samples:
    """Digital silence."""
    return np.zeros(length, np.float32)


def white(length: int, rng: np.random.Generator) -> Samples:
    """Hiss."""
    return coloured_noise(length, 0, rng)


def brown(length: int, rng: np.random.Generator) -> Samples:
    """Rumble: a street, wind, a car."""
    return coloured_noise(length, 2, rng)


def coloured(length: int, rng: np.random.Generator) -> Samples:
    """Anything between hiss and rumble."""
    return coloured_noise(length, rng.uniform(0, 2.5), rng)


def hum(length: int, rng: np.random.Generator) -> Samples:
    """Mains hum with its harmonics, and a little hiss."""
    mains_hz = rng.choice((50.0, 60.0))
    time_s = np.arange(length) / LINE_RATE_HZ
    total = 0.1 * rng.standard_normal(length)
    for harmonic in range(1, 9):
        phase = rng.uniform(0, 2 * np.pi)
        total = total + rng.uniform(0.2, 1) / harmonic * np.sin(2 * np.pi * mains_hz * harmonic * time_s + phase)
    return np.asarray(total, np.float32)


def tones(length: int, rng: np.random.Generator) -> Samples:
    """The network's own signals, steady or in bursts."""
    first_hz, second_hz = TONES_HZ[rng.integers(len(TONES_HZ))]
    time_s = np.arange(length) / LINE_RATE_HZ
    tone = np.sin(2 * np.pi * first_hz * time_s) + np.sin(2 * np.pi * second_hz * time_s)
    on_s, off_s = rng.uniform(0.08, 2.0), rng.choice((0.0, rng.uniform(0.08, 2.0)))
    is_on = (time_s + rng.uniform(0, 2)) % (on_s + off_s) < on_s
    return np.asarray(tone * is_on, np.float32)


def clicks(length: int, rng: np.random.Generator) -> Samples:
    """Handset knocks and line clicks over faint hiss."""
    total = 0.02 * rng.standard_normal(length)
    for _ in range(int(rng.integers(1, 8))):
        decay = int(rng.integers(8, 1_200))
        start = int(rng.integers(0, max(1, length - decay)))
        end = min(length, start + decay)
        burst = rng.standard_normal(end - start) * np.exp(-5 * np.arange(end - start) / decay)
        total[start:end] += rng.uniform(0.3, 4) * burst
    return np.asarray(total, np.float32)


def rustle(length: int, rng: np.random.Generator) -> Samples:
    """Breath, cloth and paper: noise whose loudness wanders."""
    wander = np.interp(np.arange(length), np.linspace(0, length, 8), rng.uniform(-2.5, 0.5, 8))
    return np.asarray(coloured_noise(length, rng.uniform(0, 1.5), rng) * 10**wander, np.float32)


def knocks(length: int, rng: np.random.Generator) -> Samples:
    """A door, a table or a dropped handset: short bursts that ring at a low note or two."""
    total = 0.01 * rng.standard_normal(length)
    count, start = int(rng.integers(1, 6)), rng.uniform(0, 0.3)
    every_s, decay_s, hertz = rng.uniform(0.12, 0.5), rng.uniform(0.01, 0.06), rng.uniform(80, 900, 2)
    at_s = np.arange(length) / LINE_RATE_HZ
    for knock in range(count):
        since = np.maximum(at_s - start - knock * every_s * rng.uniform(0.9, 1.1), 0.0)
        ring = np.sin(2 * np.pi * hertz[0] * since) + 0.5 * np.sin(2 * np.pi * hertz[1] * since)
        total += (
            rng.uniform(0.5, 3) * (ring + 0.4 * rng.standard_normal(length)) * np.exp(-since / decay_s) * (since > 0)
        )
    return np.asarray(total, np.float32)


def cough(length: int, rng: np.random.Generator) -> Samples:
    """Coughs and throats being cleared: falling bursts of breath, often with voice, through a drawn vocal tract."""
    hacks, voice = int(rng.integers(1, 5)), rng.choice((0.0, rng.uniform(0.2, 1)))
    at_s = np.arange(length) / LINE_RATE_HZ
    pitch_hz = rng.uniform(70, 260) * np.exp(-rng.uniform(0, 1.5) * at_s)
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / LINE_RATE_HZ), prepend=0.0) * (
        1 + 0.3 * rng.standard_normal(length)
    )
    source = rng.uniform(0.2, 1) * rng.standard_normal(length) + 10 * voice * pulses
    start = 0.0
    loudness = np.zeros(length)
    for _ in range(hacks):
        lasts_s = rng.uniform(0.12, 0.5)
        since = (at_s - start) / lasts_s
        loudness += rng.uniform(0.4, 1) * np.where(since > 0, np.exp(-rng.uniform(3, 8) * np.maximum(since, 0)), 0.0)
        start += lasts_s * rng.uniform(0.8, 1.6)
    return _resonant(source * loudness, rng)


def breath(length: int, rng: np.random.Generator) -> Samples:
    """Breathing into the mouthpiece, sighs and sniffs: noise that swells and fades, through a drawn vocal tract."""
    at_s = np.arange(length) / LINE_RATE_HZ
    every_s, share = rng.uniform(0.3, 3.0), rng.uniform(0.3, 0.9)
    phase = (at_s + rng.uniform(0, every_s)) % every_s / (every_s * share)
    swell = np.where(phase < 1, np.sin(np.pi * np.minimum(phase, 1.0)) ** rng.uniform(0.5, 3), 0.0)
    return _resonant(rng.standard_normal(length) * swell, rng)


def music(length: int, rng: np.random.Generator) -> Samples:
    """Music on hold: chords, a melody of plucked or blown notes, sometimes a drum, in any key and tempo."""
    beat_s, key_hz, overtones = rng.uniform(0.12, 0.5), rng.uniform(110, 330), rng.uniform(0.1, 0.7)
    total = 0.005 * rng.standard_normal(length)
    loud = rng.uniform(0, 1, 3)  # chords, melody, drum
    for index in range(int(length / LINE_RATE_HZ / beat_s) + 1):
        start, size = int(index * beat_s * LINE_RATE_HZ), int(beat_s * LINE_RATE_HZ)
        if index % 8 == 0:
            root = int(rng.choice((0, 5, 7, 9)))
            for step in (0, int(rng.choice((3, 4))), 7):
                _add(total, start, loud[0] * _note(key_hz * 2 ** ((root + step) / 12), 8 * size, 0.5, overtones))
        if rng.random() < 0.8:
            hertz = 2 * key_hz * 2 ** (int(rng.choice((0, 2, 4, 5, 7, 9, 11, 12))) / 12)
            _add(total, start, 2 * loud[1] * _note(hertz, size, rng.uniform(0, 5), overtones))
        if index % 2 == 0:
            _add(total, start, loud[2] * rng.standard_normal(size) * np.exp(-12 * np.arange(size) / size))
    return np.asarray(total / (total.std() + 1e-6), np.float32)


def ringing(length: int, rng: np.random.Generator) -> Samples:
    """Ringing and busy tones in the cadences of several countries, cut in anywhere."""
    pair, cadence_s = CADENCES[rng.integers(len(CADENCES))]
    at_s = np.arange(length) / LINE_RATE_HZ
    place = (at_s + rng.uniform(0, sum(cadence_s))) % sum(cadence_s)
    section = np.searchsorted(np.cumsum(cadence_s), place, side="right")
    wave = sum(np.sin(2 * np.pi * hertz * at_s + rng.uniform(0, 6)) for hertz in pair)
    return np.asarray(wave * (section % 2 == 0) / np.sqrt(len(pair) / 2), np.float32)


def keys(length: int, rng: np.random.Generator) -> Samples:
    """Keys being pressed (DTMF, ITU-T Q.23), at a person's pace or a machine's."""
    every_s = rng.uniform(0.1, 0.6)
    on_s = every_s * rng.uniform(0.4, 0.8)
    at_s = np.arange(length) / LINE_RATE_HZ
    pressed = (at_s / every_s).astype(np.int64)
    rows = rng.choice((697.0, 770.0, 852.0, 941.0), size=pressed[-1] + 1)
    columns = rng.choice((1209.0, 1336.0, 1477.0), size=pressed[-1] + 1)
    wave = np.sin(2 * np.pi * rows[pressed] * at_s) + np.sin(2 * np.pi * columns[pressed] * at_s)
    return np.asarray(wave * (at_s % every_s < on_s), np.float32)


KINDS: tuple[Noise, ...] = (
    *(silence, white, white, brown, coloured, coloured, hum, tones, clicks, rustle),
    *(cough, cough, cough, breath, breath, knocks, music, music, music, ringing, ringing, keys),
)
BESIDE_SPEECH: tuple[Noise, ...] = (cough, cough, breath, breath, knocks, clicks, tones, keys, rustle, coloured)


def on_the_line(noise: Samples, level_db: float) -> Samples:
    """Noise as the far end receives it, its power this far below full scale."""
    return mu_law_round_trip(noise * np.float32(10 ** (level_db / 20)))


def drawn(length: int, rng: np.random.Generator) -> Samples:
    """One clip without speech for training: any kind, any level, sometimes band-passed."""
    noise = KINDS[rng.integers(len(KINDS))](length, rng)
    if rng.random() < 0.3:
        noise = band_passed(noise, rng)
    return on_the_line(noise, rng.uniform(QUIETEST_DB, LOUDEST_DB))


def beside(pcm: npt.NDArray[np.int16], rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Speech with a noise before or behind it, at most a little louder than the speech."""
    noise = BESIDE_SPEECH[rng.integers(len(BESIDE_SPEECH))](int(rng.uniform(0.15, 0.8) * LINE_RATE_HZ), rng)
    speech = pcm.astype(np.float32)
    loudness = float(np.sqrt(np.mean(np.square(speech)))) * 10 ** (rng.uniform(-25, 3) / 20)
    noise = noise * np.float32(loudness / (float(np.sqrt(np.mean(np.square(noise)))) + 1e-6))
    gap = np.zeros(int(rng.uniform(0.05, 0.5) * LINE_RATE_HZ), np.float32)
    parts = (noise, gap, speech) if rng.random() < 0.5 else (speech, gap, noise)
    return np.clip(np.concatenate(parts), -32_768, 32_767).astype(np.int16)


def _resonant(source: npt.NDArray[np.float64], rng: np.random.Generator) -> Samples:
    """Through three resonances of an open or half-open mouth, in turn; of power 1."""
    at_s = np.arange(int(0.03 * LINE_RATE_HZ)) / LINE_RATE_HZ
    size = 1 << (len(source) + len(at_s)).bit_length()
    spectrum = np.fft.rfft(source, size)
    for low_hz, high_hz in ((350, 900), (900, 1_800), (2_000, 3_000)):
        hertz, width_hz = rng.uniform(low_hz, high_hz), rng.uniform(60, 300)
        spectrum *= np.fft.rfft(np.exp(-np.pi * width_hz * at_s) * np.sin(2 * np.pi * hertz * at_s), size)
    through = np.fft.irfft(spectrum, size)[: len(source)]
    return np.asarray(through / (through.std() + 1e-12), np.float32)


def _note(hertz: float, length: int, decay: float, overtones: float) -> npt.NDArray[np.float64]:
    at = np.arange(length)
    angle = 2 * np.pi * hertz * at / LINE_RATE_HZ
    wave = np.sin(angle) + overtones * np.sin(2 * angle) + overtones**2 * np.sin(3 * angle)
    edges = np.minimum(1.0, np.minimum(at + 1, length - at) / 40)
    return np.asarray(wave * np.exp(-decay * at / length) * edges, np.float64)


def _add(total: npt.NDArray[np.float64], start: int, wave: npt.NDArray[np.float64]) -> None:
    end = min(len(total), start + len(wave))
    total[start:end] += wave[: end - start]
