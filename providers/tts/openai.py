"""OpenAI's voices, streamed: POST /audio/speech with raw PCM at 24 kHz, resampled to the carrier's rate."""

from collections.abc import AsyncGenerator

import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI

from providers.deadlines import Limits, bounded
from providers.http_failures import connection_failure, status_failure
from providers.tts.pcm import PcmFeed

PROVIDER = "openai"
DEFAULT_MODEL = "gpt-4o-mini-tts"

_VENDOR_HZ = 24_000


class OpenAiTts:
    """Satisfies `roles.Tts`. `client` must not retry by itself (`max_retries=0`)."""

    def __init__(self, client: AsyncOpenAI, limits: Limits) -> None:
        self._speech = client.audio.speech.with_streaming_response  # here, because its first use imports a good deal
        self._limits = limits

    def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """Speech as it arrives; the vendor tells the language from the text."""
        return bounded(lambda: self._stream(text, voice_id, model, rate_hz), self._limits, provider=PROVIDER)

    async def _stream(self, text: str, voice_id: str, model: str | None, rate_hz: int) -> AsyncGenerator[bytes, None]:
        feed = PcmFeed(_VENDOR_HZ, rate_hz)
        try:
            async with self._speech.create(
                input=text, voice=voice_id, model=model or DEFAULT_MODEL, response_format="pcm"
            ) as response:
                async for data in response.iter_bytes():
                    if pcm := feed.feed(data):
                        yield pcm
        except APIStatusError as error:
            raise status_failure(PROVIDER, error.status_code, error.response.headers) from error
        except (APIConnectionError, httpx2.HTTPError) as error:  # the SDK leaves errors of the body as they are
            raise connection_failure(PROVIDER, error) from error
        if pcm := feed.end():
            yield pcm
