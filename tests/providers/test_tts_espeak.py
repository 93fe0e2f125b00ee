"""The local voice, on the real library."""

import asyncio

import numpy as np
import pytest

from models.errors import ProviderError
from providers.tts.espeak import EspeakTts
from tests.providers.sounds import spoken


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
async def test_a_text_lasts_as_long_at_every_rate(rate_hz: int) -> None:
    speech = await spoken("would you like tuesday or wednesday", rate_hz=rate_hz)
    assert 1.5 < len(speech) / rate_hz < 3.0
    assert 0.02 < np.sqrt(np.mean(speech**2)) < 0.5


async def test_there_is_no_long_silence_around_the_words() -> None:
    speech = await spoken("hello.")
    loud = np.flatnonzero(np.abs(speech) > 0.01)
    assert loud[0] < 0.05 * 8_000
    assert len(speech) - loud[-1] < 0.05 * 8_000


async def test_voices_and_variants_differ() -> None:
    said = {voice: (await spoken("hello", voice_id=voice)).tobytes() for voice in ("en-us", "en-us+f3", "en", "hi")}
    assert len(set(said.values())) == len(said)


@pytest.mark.parametrize("voice_id", ["nope", "en-us+nope", "en-us+../../lang", "\ud800"])
async def test_an_unknown_voice_is_a_provider_error(voice_id: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await spoken("hello", voice_id=voice_id)
    assert not caught.value.retryable


async def test_without_a_voice_the_language_has_one() -> None:
    speech = EspeakTts().speak("hello", voice_id="", model=None, language="en-IN", rate_hz=8_000)
    assert sum([len(piece) async for piece in speech]) > 0.2 * 16_000


async def test_nothing_to_say_is_no_sound() -> None:
    speech = EspeakTts().speak("", voice_id="en-us", model=None, language="en", rate_hz=8_000)
    assert sum([len(piece) async for piece in speech]) < 0.02 * 16_000


@pytest.mark.parametrize(
    "text", ["<speak>hello</speak>", "hel\0lo", "[[h@l'oU]]", "मुझे मदद चाहिए", "\ud800 hello", "👋"]
)
async def test_odd_text_is_spoken_or_skipped_but_harmless(text: str) -> None:
    await spoken(text)
    assert len(await spoken("hello")) > 2_000


async def test_many_voices_at_once_do_not_mix() -> None:
    alone = await spoken("one two three", voice_id="en-us+m3")
    together = await asyncio.gather(
        *(spoken("one two three", voice_id="en-us+m3") for _ in range(8)),
        *(spoken("four five six seven", voice_id="en+f2") for _ in range(8)),
    )
    lengths = {len(speech) for speech in together[:8]}
    assert max(lengths) - min(lengths) < 0.2 * 8_000
    assert abs(len(alone) - len(together[0])) < 0.2 * 8_000
