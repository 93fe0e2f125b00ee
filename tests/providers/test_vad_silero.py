"""Voice activity, against the model's real file: the golden figures that a wrong input shape would change."""

import sys

import numpy as np
import pytest

from models.sound import Upsampler
from providers.vad.silero import CONTEXT, WINDOW, SileroVad
from tests.providers.sounds import LINE_HZ, noise, probabilities, spoken

HELLO = "hello, i would like to book an appointment for tuesday"


@pytest.mark.parametrize("voice_id", ["en-us", "en-us+f3", "en-us+m3"])
async def test_speech_is_speech(voice_id: str) -> None:
    heard = probabilities(await spoken(HELLO, voice_id=voice_id, rate_hz=16_000))
    assert np.mean(np.array(heard) > 0.5) > 0.85
    assert max(heard) > 0.99


async def test_speech_of_a_telephone_is_speech_too() -> None:
    heard = probabilities(Upsampler(LINE_HZ).feed(await spoken(HELLO)))
    assert np.mean(np.array(heard) > 0.5) > 0.85


@pytest.mark.parametrize("level", [0.0, 0.01, 0.1])
def test_silence_and_noise_are_not(level: float) -> None:
    assert max(probabilities(noise(2.0, level=level, rate_hz=16_000))) < 0.2


def test_the_model_sees_the_window_and_64_samples_before_it() -> None:
    vad = SileroVad()
    assert vad._input.shape == (1, 576) == (1, CONTEXT + WINDOW)
    ramp = np.linspace(0, 1, 2 * WINDOW, dtype=np.float32)
    for window in ramp.reshape(2, WINDOW):
        vad.probability(window)
    np.testing.assert_array_equal(vad._input[0], ramp[WINDOW - CONTEXT :])


async def test_reset_forgets_the_stream() -> None:
    speech = (await spoken(HELLO, rate_hz=16_000))[: 20 * WINDOW].reshape(-1, WINDOW)
    vad = SileroVad()
    first = [vad.probability(window) for window in speech]
    vad.reset()
    assert [vad.probability(window) for window in speech] == first


async def test_streams_do_not_hear_each_other() -> None:
    speech = (await spoken(HELLO, rate_hz=16_000))[: 20 * WINDOW].reshape(-1, WINDOW)
    alone, beside, other = SileroVad(), SileroVad(), SileroVad()
    expected = [alone.probability(window) for window in speech]
    for window, probability in zip(speech, expected, strict=True):
        other.probability(np.zeros(WINDOW, dtype=np.float32))
        assert beside.probability(window) == probability


@pytest.mark.parametrize("samples", [256, 511, 576])
def test_a_window_of_another_length_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match="512"):
        SileroVad().probability(np.zeros(samples, dtype=np.float32))


def test_the_vad_does_not_load_torch() -> None:
    SileroVad()
    assert "torch" not in sys.modules
    assert "silero_vad" not in sys.modules
