"""Fixed sentences are voiced once."""

from collections.abc import AsyncGenerator

import pytest

from models.errors import ProviderError
from providers.tts.cache import CachedTts, SpeechCache


class Voice:
    """Counts what it was asked for; `breaks` makes it fail after its first piece."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.breaks = False

    async def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        self.asked.append(text)
        yield text.encode()
        if self.breaks:
            raise ProviderError("gone", provider="test", retryable=True)
        yield b"!"


async def said(tts: CachedTts, text: str, voice_id: str = "a") -> bytes:
    return b"".join([p async for p in tts.speak(text, voice_id=voice_id, model=None, language="en", rate_hz=8000)])


async def test_a_fixed_sentence_is_asked_for_once_and_others_every_time() -> None:
    voice = Voice()
    tts = CachedTts(voice, "test", SpeechCache(), ["Hello."])
    assert [await said(tts, text) for text in ("Hello.", "Hello.", "Yes.", "Yes.")] == [b"Hello.!"] * 2 + [b"Yes.!"] * 2
    assert voice.asked == ["Hello.", "Yes.", "Yes."]


async def test_voices_do_not_speak_for_each_other() -> None:
    voice = Voice()
    tts = CachedTts(voice, "test", SpeechCache(), ["Hello."])
    await said(tts, "Hello.", "a")
    await said(tts, "Hello.", "b")
    assert voice.asked == ["Hello.", "Hello."]


async def test_speech_that_broke_off_is_not_kept() -> None:
    voice = Voice()
    tts = CachedTts(voice, "test", SpeechCache(), ["Hello."])
    voice.breaks = True
    with pytest.raises(ProviderError):
        await said(tts, "Hello.")
    voice.breaks = False
    assert await said(tts, "Hello.") == b"Hello.!"


async def test_the_least_recently_used_goes_first() -> None:
    voice = Voice()
    tts = CachedTts(voice, "test", SpeechCache(max_bytes=5), ["1", "2", "3"])
    for text in ("1", "2", "1", "3", "1", "2"):
        await said(tts, text)
    assert voice.asked == ["1", "2", "3", "2"]
