"""Speech that is said in every call, kept: greetings and fixed sentences need no vendor the second time."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

from providers.roles import Tts

Key = tuple[str, str, str | None, str, int]

PIECE_BYTES = 6400


class SpeechCache:
    """PCM by voice, text and rate; the least recently used goes first when `max_bytes` are exceeded."""

    def __init__(self, max_bytes: int = 8_000_000) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._speech: OrderedDict[Key, bytes] = OrderedDict()

    def get(self, key: Key) -> bytes | None:
        """What is kept under the key."""
        if key in self._speech:
            self._speech.move_to_end(key)
        return self._speech.get(key)

    def put(self, key: Key, pcm: bytes) -> None:
        """Keep this; speech too long for the cache is not kept."""
        if len(pcm) > self._max_bytes or key in self._speech:
            return
        self._speech[key] = pcm
        self._bytes += len(pcm)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._speech.popitem(last=False)[1])


class CachedTts:
    """Satisfies `roles.Tts`: `sentences` are taken from the cache, or put there; everything else passes through.

    `name` is the vendor's: one cache serves several.
    """

    def __init__(self, tts: Tts, name: str, cache: SpeechCache, sentences: Collection[str]) -> None:
        self._tts = tts
        self._name = name
        self._cache = cache
        self._sentences = frozenset(sentences)

    async def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """As the vendor's; speech that broke off is not kept."""
        key = (self._name + voice_id, text, model, language, rate_hz)
        kept = self._cache.get(key) if text in self._sentences else None
        if kept is not None:
            for start in range(0, len(kept), PIECE_BYTES):
                yield kept[start : start + PIECE_BYTES]
            return
        spoken = bytearray()
        speech = self._tts.speak(text, voice_id=voice_id, model=model, language=language, rate_hz=rate_hz)
        async with aclosing(speech):
            async for pcm in speech:
                spoken += pcm
                yield pcm
        if text in self._sentences:
            self._cache.put(key, bytes(spoken))
