"""The engine with the shipped demonstration model, on synthetic speech through an 8 kHz mu-law line."""

import numpy as np
import pytest

from models.errors import ProviderError
from models.settings import DEMO_WHISPER
from models.sound import Upsampler, mulaw_decode, mulaw_encode
from providers.roles import SpeechAudio, Transcript
from providers.stt.whisper import Whisper
from simulators.noises import sound_of
from simulators.sound import at_level
from simulators.throat import hacking_cough
from tests.providers.sounds import LINE_HZ, noise, over_the_phone, spoken

pytestmark = pytest.mark.integration

HELD_OUT = ["en-us+m5", "en-us+f5"]
"""Voices that the model has never heard."""


@pytest.fixture(scope="module")
def engine() -> Whisper:
    loaded = Whisper(str(DEMO_WHISPER), device="cpu", compute_type="int8", threads=2)
    loaded.warm_up()
    return loaded


def heard(engine: Whisper, audio: SpeechAudio) -> Transcript:
    return engine.transcribe(audio, is_late=lambda: False)


@pytest.mark.parametrize("voice_id", HELD_OUT)
@pytest.mark.parametrize(
    "text",
    [
        "yes please",
        "no thank you",
        "my name is maria",
        "i want to talk to a person",
        "i would like to book an appointment for tuesday",
    ],
)
async def test_a_caller_is_understood(engine: Whisper, text: str, voice_id: str) -> None:
    transcript = heard(engine, over_the_phone(await spoken(text, voice_id=voice_id)))
    assert (transcript.text, transcript.rejected) == (text, None)
    assert transcript.confidence > 0.7
    assert transcript.decode_ms > 0


@pytest.mark.parametrize("voice_id", HELD_OUT)
@pytest.mark.parametrize(
    "text",
    [
        "i would like to",
        "my number is",
        "my phone number is",
        "can i book an appointment for",
        "yes please and",
        "my name is maria and",
        "i have a question about my",
    ],
)
async def test_a_caller_who_has_not_finished_is_not_finished_for(engine: Whisper, text: str, voice_id: str) -> None:
    """Turn taking reads whether the words are complete: what was not said must not be written."""
    assert heard(engine, over_the_phone(await spoken(text, voice_id=voice_id))).text == text


@pytest.mark.parametrize("voice_id", HELD_OUT)
@pytest.mark.parametrize("seconds", [0.6, 0.9, 1.2, 1.5, 1.8])
async def test_sound_that_breaks_off_gives_the_words_said_so_far(
    engine: Whisper, seconds: float, voice_id: str
) -> None:
    """Partial texts: the utterance ends in the middle of a word, and nothing follows."""
    said = "i would like to book an appointment for tuesday"
    whole = over_the_phone(await spoken(said, voice_id=voice_id))
    start = int((seconds + 0.3) * LINE_HZ)  # 0.3 s of quiet come first
    words = heard(engine, SpeechAudio(whole.mulaw[:start], LINE_HZ, seconds)).text.split()
    assert words == said.split()[: len(words)]
    assert len(words) >= 2


@pytest.mark.parametrize("voice_id", HELD_OUT)
async def test_what_is_said_after_a_pause_belongs_to_it(engine: Whisper, voice_id: str) -> None:
    pieces = [await spoken(text, voice_id=voice_id) for text in ("my name is maria and", "i have a question")]
    sound = np.concatenate([pieces[0], np.zeros(int(0.4 * LINE_HZ), np.float32), pieces[1]])
    assert heard(engine, over_the_phone(sound)).text == "my name is maria and i have a question"


@pytest.mark.parametrize("voice_id", HELD_OUT)
@pytest.mark.parametrize("text", ["okay", "yeah", "i see", "uh huh", "stop", "wait", "hold on", "excuse me"])
async def test_murmurs_and_stop_words_are_told_apart(engine: Whisper, text: str, voice_id: str) -> None:
    assert heard(engine, over_the_phone(await spoken(text, voice_id=voice_id))).text == text


def test_most_coughs_are_no_words(engine: Whisper) -> None:
    """Coughs with a voice in them, through the voice detector and the gates: one in six may pass for a murmur."""
    sounds = [
        hacking_cough(round(seconds * LINE_HZ), LINE_HZ, np.random.default_rng(seed))
        for seconds in (0.4, 0.8)
        for seed in range(6)
    ]
    texts = [heard(engine, over_the_phone(2 * at_level(sound, -22.0))).text for sound in sounds]
    assert sum(text != "" for text in texts) <= len(texts) // 6


@pytest.mark.parametrize("name", ["hold_music", "ringback_us", "ringback_uk", "busy", "beep"])
def test_what_the_network_plays_is_no_word(engine: Whisper, name: str) -> None:
    samples = sound_of(name, 2.0, seed=1) * np.float32(10 ** (-20 / 20))
    assert heard(engine, SpeechAudio(mulaw_encode(samples), LINE_HZ, speech_s=2.0)).text == ""


async def test_16_khz_is_understood_as_well(engine: Whisper) -> None:
    narrow = over_the_phone(await spoken("yes please"))
    wide = Upsampler(LINE_HZ).feed(mulaw_decode(narrow.mulaw))
    assert heard(engine, SpeechAudio(mulaw_encode(wide), 16_000, narrow.speech_s)).text == "yes please"


@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.0])
@pytest.mark.parametrize("level", [0.0, 0.001, 0.02])
def test_silence_and_noise_give_no_words(engine: Whisper, seconds: float, level: float) -> None:
    transcript = heard(engine, over_the_phone(noise(seconds, level=level)))
    assert (transcript.text, transcript.confidence) == ("", 0.0)
    assert transcript.rejected in ("silent", "no_speech")


def test_an_empty_utterance_gives_no_words(engine: Whisper) -> None:
    assert heard(engine, SpeechAudio(b"", LINE_HZ, 0.0)).rejected == "silent"


async def test_a_doubtful_answer_is_decoded_again_unless_it_is_too_late(engine: Whisper) -> None:
    """Speech said to last a fraction of a second is refused as too fast, twice if there is time."""
    audio = over_the_phone(await spoken("i would like to book an appointment for tuesday"))
    audio = SpeechAudio(audio.mulaw, audio.rate_hz, speech_s=0.25)
    asked: list[bool] = []

    def is_late(answer: bool) -> bool:
        asked.append(answer)
        return answer

    assert engine.transcribe(audio, is_late=lambda: is_late(True)).rejected == "too_fast"
    assert len(asked) == 1
    asked.clear()
    assert engine.transcribe(audio, is_late=lambda: is_late(False)).rejected is not None
    assert len(asked) == 2


def test_an_utterance_longer_than_whispers_window_is_refused(engine: Whisper) -> None:
    with pytest.raises(ProviderError, match="may last 29 s"):
        heard(engine, SpeechAudio(mulaw_encode(np.full(30 * LINE_HZ, 0.1, np.float32)), LINE_HZ, 30.0))


@pytest.mark.parametrize("name", ["no-such-model", "/nowhere"])
def test_a_model_that_cannot_be_loaded_names_its_settings(name: str) -> None:
    with pytest.raises(ProviderError, match="STT_MODEL"):
        Whisper(name, device="cpu", compute_type="int8", threads=1)
