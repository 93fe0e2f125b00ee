import numpy as np
import pytest

from actors.call_session.tones import BeepDetector, dtmf
from models.sound import Floats, mulaw_decode, mulaw_encode, pcm_decode

RATE = 8000


def tone(seconds: float, *hz: float, rate_hz: int = RATE) -> Floats:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    parts = [0.3 / len(hz) * np.sin(2 * np.pi * each * at) for each in hz]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float32)


def rest(seconds: float, rate_hz: int = RATE) -> Floats:
    return np.zeros(round(seconds * rate_hz), dtype=np.float32)


def beeps(*pieces: Floats, rate_hz: int = RATE, noise: float = 0.001, step_s: float = 0.02) -> list[float]:
    """When a beep was reported, in seconds, through mu-law and a little noise."""
    samples = np.concatenate(pieces)
    hiss = np.random.default_rng(1).normal(size=len(samples)) * noise
    heard = mulaw_decode(mulaw_encode((samples + hiss).astype(np.float32)))
    detector, step = BeepDetector(rate_hz), round(step_s * rate_hz)
    return [(at + step) / rate_hz for at in range(0, len(heard), step) if detector.feed(heard[at : at + step])]


@pytest.mark.parametrize("hz", [600, 850, 1000, 1400, 2000, 2500])
@pytest.mark.parametrize("seconds", [0.13, 0.3, 0.5, 1.0, 1.9])
def test_a_beep_is_reported_once_soon_after_its_end(hz: float, seconds: float) -> None:
    (at,) = beeps(rest(0.5), tone(seconds, hz), rest(0.8))
    assert 0.1 <= at - 0.5 - seconds <= 0.3


@pytest.mark.parametrize("hz", [400, 440, 480])
def test_a_low_beep_is_reported_when_it_has_not_come_again(hz: float) -> None:
    (at,) = beeps(rest(0.5), tone(0.5, hz), rest(1.5))
    assert 0.6 <= at - 1.0 <= 0.9


def test_noise_20_db_below_does_not_hide_it() -> None:
    assert len(beeps(rest(0.5), tone(0.4, 1000), rest(0.8), noise=0.021)) == 1


def test_sixteen_kilohertz_and_large_pieces_are_the_same() -> None:
    pieces = (rest(0.5, 16_000), tone(0.4, 1000, rate_hz=16_000), rest(0.8, 16_000))
    assert len(beeps(*pieces, rate_hz=16_000, step_s=0.1)) == 1


RINGBACK_INDIA = tone(0.4, 400) * (1 + 0.8 * np.sin(2 * np.pi * 25 * np.arange(3200) / RATE)).astype(np.float32) / 1.8
CHORDS = [tone(0.5, root, root * 5 / 4, root * 3 / 2, root * 2) for root in (262, 294, 330, 349, 392) * 4]
MELODY = [part for hz in (523, 587, 659, 784, 523, 880) * 5 for part in (tone(0.3, hz), rest(0.02))]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([rest(1), tone(0.08, 1000), rest(1)], id="too short"),
        pytest.param([rest(1), tone(2.5, 1000), rest(1)], id="too long"),
        pytest.param([rest(1), tone(0.5, 300), rest(1)], id="too low"),
        pytest.param([rest(1), tone(0.5, 2800), rest(1)], id="too high"),
        pytest.param([tone(2, 440, 480), rest(4)] * 2, id="ringback US"),
        pytest.param([tone(0.4, 400, 450), rest(0.2), tone(0.4, 400, 450), rest(2)] * 2, id="ringback UK"),
        pytest.param([RINGBACK_INDIA, rest(0.2), RINGBACK_INDIA, rest(2)] * 2, id="ringback India"),
        pytest.param([tone(1, 425), rest(4)] * 2, id="ringback Europe"),
        pytest.param([tone(0.5, 425), rest(0.5)] * 6, id="busy"),
        pytest.param([tone(0.25, 425), rest(0.25)] * 10, id="congestion"),
        pytest.param([tone(4, 350, 440), rest(1)], id="dial tone"),
        pytest.param([rest(1), tone(0.33, 950), tone(0.33, 1400), tone(0.33, 1800), rest(1)], id="special information"),
        pytest.param([rest(1), pcm_decode(dtmf("0123456789*#ABCD", RATE)), rest(1)], id="keys"),
        pytest.param(CHORDS, id="chords"),
        pytest.param(MELODY, id="melody"),
        pytest.param([np.random.default_rng(2).normal(size=80_000).astype(np.float32) * 0.1], id="noise"),
        pytest.param([rest(5)], id="silence"),
    ],
)
def test_what_is_no_beep(pieces: list[Floats]) -> None:
    assert beeps(*pieces) == []


def test_sound_after_the_tone_means_it_was_no_beep() -> None:
    loud = np.random.default_rng(3).normal(size=RATE).astype(np.float32) * 0.3
    assert beeps(rest(0.5), tone(0.4, 1000), loud, rest(0.5)) == []


@pytest.mark.parametrize("rate_hz", [8000, 16_000])
def test_keys_are_their_two_frequencies(rate_hz: int) -> None:
    keys = "123A456B789C*0#D"
    samples = pcm_decode(dtmf(keys, rate_hz))
    period, length = round(0.18 * rate_hz), round(0.1 * rate_hz)
    assert len(samples) == period * len(keys)
    for number in range(len(keys)):
        key = samples[number * period : number * period + length]
        power = np.abs(np.fft.rfft(key, rate_hz))
        row, column = int(power[:1100].argmax()), 1100 + int(power[1100:2000].argmax())
        expected = (697, 770, 852, 941)[number // 4], (1209, 1336, 1477, 1633)[number % 4]
        assert (row, column) == pytest.approx(expected, abs=4)
        assert not samples[number * period + length : (number + 1) * period].any()


def test_a_comma_is_half_a_second_and_the_rest_is_left_out() -> None:
    assert len(dtmf("1,1", RATE)) == 2 * (round(0.18 * RATE) * 2 + RATE // 2)
    assert dtmf("xyz ", RATE) == b""
    assert dtmf("a", RATE) == dtmf("A", RATE)
