"""ElevenLabs voices, streamed: POST /v1/text-to-speech/{voice}/stream through the vendor's SDK."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from json import JSONDecodeError
from typing import Any

import httpx
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core import ApiError

from providers.deadlines import Limits, bounded
from providers.http_failures import connection_failure, status_failure
from providers.tts.pcm import PcmFeed

PROVIDER = "elevenlabs"

_RATES = frozenset({8_000, 16_000, 22_050, 24_000, 44_100, 48_000})
_OTHER_RATE = 24_000
_CHUNK_BYTES = 640
"""40 ms at 8 kHz: small, because the SDK holds a piece back until it is full."""
_LANGUAGE_MODELS = ("_v2_5", "_v3")
"""Models that take a language code; to others it is an error."""


class ElevenLabsTts:
    """Satisfies `roles.Tts`."""

    def __init__(self, client: AsyncElevenLabs, limits: Limits) -> None:
        self._voices = client.text_to_speech  # here, because it imports a good deal at its first use
        self._limits = limits

    def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """Speech in pieces of 40 ms and more; without a `model` the vendor's default speaks."""
        return bounded(lambda: self._stream(text, voice_id, model, language, rate_hz), self._limits, provider=PROVIDER)

    async def _stream(
        self, text: str, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        vendor_hz = rate_hz if rate_hz in _RATES else _OTHER_RATE
        options: dict[str, Any] = {"model_id": model} if model else {}
        if model and model.endswith(_LANGUAGE_MODELS):
            options["language_code"] = language.partition("-")[0]
        feed = PcmFeed(vendor_hz, rate_hz)
        sound: Any = self._voices.stream(
            voice_id,
            text=text,
            output_format=f"pcm_{vendor_hz}",
            request_options={"chunk_size": _CHUNK_BYTES},
            **options,
        )
        try:
            async with aclosing(sound):
                async for data in sound:
                    if pcm := feed.feed(data):
                        yield pcm
        except ApiError as error:
            raise status_failure(PROVIDER, error.status_code or 0, error.headers or {}) from error
        except (httpx.HTTPError, JSONDecodeError) as error:
            raise connection_failure(PROVIDER, error) from error
        if pcm := feed.end():
            yield pcm
