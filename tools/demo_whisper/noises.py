"""What a line carries when nobody speaks: silence, hiss, hum, tones, clicks and rustle, at 8 kHz.

Training teaches the model to write nothing for these; evaluation counts the words they draw out of it.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

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


KINDS: tuple[Noise, ...] = (silence, white, white, brown, coloured, coloured, hum, tones, clicks, rustle)


def on_the_line(noise: Samples, level_db: float) -> Samples:
    """Noise as the far end receives it, its power this far below full scale."""
    return mu_law_round_trip(noise * np.float32(10 ** (level_db / 20)))


def drawn(length: int, rng: np.random.Generator) -> Samples:
    """One clip without speech for training: any kind, any level, sometimes band-passed."""
    noise = KINDS[rng.integers(len(KINDS))](length, rng)
    if rng.random() < 0.3:
        noise = band_passed(noise, rng)
    return on_the_line(noise, rng.uniform(QUIETEST_DB, LOUDEST_DB))
