"""The level and tone detectors on synthesised speech: a real voice has what made-up signals lack."""

import itertools

import numpy as np
import pytest

from actors.call_session.hush import Hush
from actors.call_session.tones import BeepDetector
from models.sound import Floats, mulaw_decode, mulaw_encode
from simulators.voice import voice

pytestmark = pytest.mark.integration

RATE, STEP = 8000, 160
VOICES = ("en-us+f3", "en-us", "en-us+m3")
SENTENCES = (
    "hello i would like to book an appointment for tuesday at three in the afternoon please",
    "my name is maria and i have a question about my last invoice",
    "who are you, zoom, room, soon, two blue moons",
)


def said(text: str, name: str) -> Floats:
    """The sentence without the silence around it, at -20 dB."""
    samples = voice().say(text, voice=name, rate_hz=RATE)
    frames = np.sqrt(np.mean(np.square(samples[: len(samples) // 80 * 80].reshape(-1, 80)), axis=1))
    (loud,) = np.nonzero(frames > frames.max() * 0.03)
    samples = samples[loud[0] * 80 : (loud[-1] + 1) * 80]
    return np.asarray(samples * 0.1 / np.sqrt(np.mean(np.square(samples))), dtype=np.float32)


def over_the_line(samples: Floats, noise_db: float) -> Floats:
    """Through mu-law with white noise."""
    noise = np.random.default_rng(1).normal(size=len(samples)) * 10 ** (noise_db / 20)
    return mulaw_decode(mulaw_encode((samples + noise).astype(np.float32)))


@pytest.mark.parametrize(("snr_db", "most_per_s"), [(30, 0.3), (20, 1.2)])
def test_hush_of_sixty_milliseconds_is_rare_inside_speech_and_prompt_after_it(snr_db: float, most_per_s: float) -> None:
    seconds, inside, late = 0.0, 0, []
    for text in SENTENCES[:2]:
        for name in VOICES:
            speech, rest = said(text, name), np.zeros(RATE, dtype=np.float32)
            heard = over_the_line(np.concatenate([rest, speech, rest]), -20 - snr_db)
            hush = Hush(RATE)
            quiet = [hush.feed(heard[at : at + STEP]) for at in range(0, len(heard), STEP)]
            end = (RATE + len(speech)) // STEP
            inside += sum(1 for one, two in itertools.pairwise(quiet[:end]) if one < 0.06 <= two)
            late.append(next(at for at, value in enumerate(quiet[end + 1 :], start=1) if value >= 0.04) * 0.02)
            seconds += len(speech) / RATE
    assert inside / seconds <= most_per_s
    assert max(late) <= 0.1


@pytest.mark.parametrize("name", [*VOICES, "hi", "de"])
@pytest.mark.parametrize("pitch", [30, 90])
def test_no_voice_is_a_beep(name: str, pitch: int) -> None:
    detector = BeepDetector(RATE)
    for text in SENTENCES:
        heard = over_the_line(voice().say(text, voice=name, rate_hz=RATE, pitch=pitch, words_per_min=110), -60)
        assert not any(detector.feed(heard[at : at + STEP]) for at in range(0, len(heard), STEP))


def test_a_beep_after_a_greeting_is_heard() -> None:
    at = np.arange(RATE // 2) / RATE
    beep = (0.2 * np.sin(2 * np.pi * 1000 * at)).astype(np.float32)
    greeting, rest = said("you have reached bo please leave a message", "en-us"), np.zeros(RATE // 2, dtype=np.float32)
    heard = over_the_line(np.concatenate([greeting, rest, beep, rest]), -50)
    detector = BeepDetector(RATE)
    assert [detector.feed(heard[at : at + STEP]) for at in range(0, len(heard), STEP)].count(True) == 1
