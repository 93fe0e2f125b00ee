"""The line's noises have the level, the frequencies and the cadence they are named for."""

import numpy as np
import pytest

from simulators.noises import SOUNDS, sound_of
from simulators.sound import LINE_HZ, Floats, level_dbfs
from simulators.throat import hacking_cough


def power_between(samples: Floats, low_hz: float, high_hz: float) -> float:
    """Share of the sound's power in a band."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / LINE_HZ)
    return float(power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum())


@pytest.mark.parametrize("name", sorted(set(SOUNDS) - {"silence", "ringback_us", "ringback_uk", "busy", "coughing"}))
def test_a_steady_sound_has_power_one(name: str) -> None:
    assert level_dbfs(sound_of(name, 1.0, 0)) == pytest.approx(0, abs=0.2)


def test_silence_is_nothing() -> None:
    assert not np.any(sound_of("silence", 0.1, 0))


@pytest.mark.parametrize(
    ("name", "on", "off"),
    [
        ("ringback_us", (0.1, 1.9), (2.1, 5.9)),
        ("ringback_uk", (0.7, 0.9), (1.1, 2.9)),
        ("busy", (0.1, 0.4), (0.6, 0.9)),
        ("coughing", (3.0, 3.7), (0.7, 3.0)),
    ],
)
def test_a_network_tone_keeps_its_cadence(name: str, on: tuple[float, float], off: tuple[float, float]) -> None:
    tone = sound_of(name, 6.0, 0)
    loud, quiet = [tone[int(start * LINE_HZ) : int(end * LINE_HZ)] for start, end in (on, off)]
    assert level_dbfs(loud) == pytest.approx(0, abs=0.2)
    assert not np.any(quiet)


def test_frequencies_are_those_of_the_name() -> None:
    assert power_between(sound_of("ringback_us", 2.0, 0), 430, 490) > 0.99
    assert power_between(sound_of("beep", 0.4, 0), 990, 1_010) > 0.95
    assert power_between(sound_of("hum", 1.0, 0), 40, 410) > 0.99
    assert power_between(sound_of("brown", 1.0, 0), 0, 200) > 0.9
    assert power_between(sound_of("white", 1.0, 0), 0, 2_000) == pytest.approx(0.5, abs=0.05)


def test_a_hacking_cough_has_a_voice_in_it() -> None:
    cough = hacking_cough(5_600, LINE_HZ, np.random.default_rng(0))
    assert level_dbfs(cough) == pytest.approx(0, abs=0.1)
    assert power_between(cough, 500, 1_500) > 0.7
    assert len(hacking_cough(0, LINE_HZ, np.random.default_rng(0))) == 0


def test_the_seed_makes_it_repeatable() -> None:
    assert np.array_equal(sound_of("hold_music", 1.0, 3), sound_of("hold_music", 1.0, 3))
    assert not np.array_equal(sound_of("hold_music", 1.0, 3), sound_of("hold_music", 1.0, 4))
