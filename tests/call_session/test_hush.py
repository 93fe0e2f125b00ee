import numpy as np
import pytest

from actors.call_session.hush import Hush
from models.sound import Floats

RATE = 8000


def noise(seconds: float, level_db: float, seed: int = 1) -> Floats:
    samples = np.random.default_rng(seed).normal(size=round(seconds * RATE))
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def quiet_after(*pieces: Floats, step: int = 160) -> float:
    hush, heard = Hush(RATE), 0.0
    samples = np.concatenate(pieces)
    for at in range(0, len(samples), step):
        heard = hush.feed(samples[at : at + step])
    return heard


def test_before_any_speech_it_is_not_quiet_but_nothing() -> None:
    assert quiet_after(noise(3, -55)) == 0.0
    assert quiet_after(np.zeros(RATE, dtype=np.float32)) == 0.0


def test_while_somebody_speaks_there_is_no_hush() -> None:
    assert quiet_after(noise(1, -55), noise(1, -20, 2)) == 0.0


@pytest.mark.parametrize("snr_db", [40, 30, 20, 15])
def test_the_hush_after_speech_is_measured_to_ten_milliseconds(snr_db: float) -> None:
    floor, speech = noise(1.2, -20 - snr_db), noise(1, -20, 2)
    for hush_s in (0.04, 0.1, 0.2):
        ended = (floor[:RATE], speech, floor[: round(hush_s * RATE)])
        assert quiet_after(*ended) == pytest.approx(hush_s, abs=0.011)


def test_digital_silence_after_speech_is_quiet_too() -> None:
    assert quiet_after(noise(1, -20), np.zeros(RATE // 10, dtype=np.float32)) == pytest.approx(0.1)


def test_speech_ends_the_hush() -> None:
    floor, speech = noise(1, -55), noise(0.5, -20, 2)
    assert quiet_after(floor, speech, floor[:1600], speech[:160]) == 0.0


def test_speech_that_hardly_stands_out_is_not_judged() -> None:
    assert quiet_after(noise(2, -30), noise(1, -24, 2), noise(0.3, -30, 3)) == 0.0


def test_a_louder_line_is_learnt_within_three_seconds() -> None:
    parts = (noise(1, -60), noise(1, -15, 2), noise(4, -40, 3), noise(1, -15, 4), noise(0.1, -40, 5))
    assert quiet_after(*parts) == pytest.approx(0.1, abs=0.021)


@pytest.mark.parametrize("step", [1, 37, 80, 160, 800, 100_000])
def test_the_pieces_do_not_matter(step: int) -> None:
    pieces = (noise(0.2, -55), noise(0.2, -20, 2), noise(0.1, -55, 3))
    assert quiet_after(*pieces, step=step) == quiet_after(*pieces)
