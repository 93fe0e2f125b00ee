"""Levels and their changes are found to a hundredth of a second."""

import numpy as np
import pytest

from simulators.loudness import Loudness
from simulators.sound import Floats

RATE_HZ = 8_000


def sound(*parts: tuple[float, float]) -> Floats:
    """Constant amplitudes, each for a number of seconds."""
    return np.concatenate([np.full(round(seconds * RATE_HZ), size, dtype=np.float32) for size, seconds in parts])


@pytest.fixture
def loudness() -> Loudness:
    """0.1 until 11 s, a quarter of it until 12 s, with a dip at 10.5 s; then 0.1 again, and nothing from 13 s on."""
    parts = ((0.1, 0.5), (0.0, 0.03), (0.1, 0.47), (0.025, 1.0), (0.1, 1.0), (0.0, 1.0))
    return Loudness.of(sound(*parts), RATE_HZ, 10.0)


def test_the_usual_level_ignores_short_dips(loudness: Loudness) -> None:
    assert loudness.usual(10.0, 11.0) == pytest.approx(-20)
    assert loudness.usual(13.1, 14.0) == -120
    assert loudness.usual(20.0, 21.0) == -120


def test_a_fall_lasts(loudness: Loudness) -> None:
    assert loudness.falls(10.2, -28, for_s=0.1) == pytest.approx(11.0)
    assert loudness.falls(10.2, -28, for_s=0.02) == pytest.approx(10.5)
    assert loudness.falls(10.2, -60, for_s=0.2) == pytest.approx(13.0)
    assert loudness.falls(13.5, -60, for_s=1.0) is None


def test_a_rise_is_found_and_may_be_there_already(loudness: Loudness) -> None:
    assert loudness.rises(11.2, -22, for_s=0.2) == pytest.approx(12.0)
    assert loudness.rises(12.315, -22, for_s=0.2) == 12.315
    assert loudness.rises(12.9, -22, for_s=0.2) is None
