"""Cartesia's voices, streamed: POST /tts/bytes with raw 16-bit PCM at the carrier's own rate (docs.cartesia.ai)."""

from collections.abc import AsyncGenerator

import httpx

from providers.deadlines import Limits, bounded
from providers.http_failures import connection_failure, status_failure
from providers.tts.pcm import PcmFeed

PROVIDER = "cartesia"
BASE_URL = "https://api.cartesia.ai"
DEFAULT_MODEL = "sonic-3"

_API_VERSION = "2025-04-16"


class CartesiaTts:
    """Satisfies `roles.Tts`. `http` has the base URL; the key is sent with each request."""

    def __init__(self, http: httpx.AsyncClient, limits: Limits, *, api_key: str) -> None:
        self._http = http
        self._limits = limits
        self._headers = {"Authorization": f"Bearer {api_key}", "Cartesia-Version": _API_VERSION}

    def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """Speech as it arrives."""
        request: dict[str, object] = {
            "model_id": model or DEFAULT_MODEL,
            "transcript": text,
            "voice": {"mode": "id", "id": voice_id},
            "language": language.partition("-")[0],
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": rate_hz},
        }
        return bounded(lambda: self._stream(request, rate_hz), self._limits, provider=PROVIDER)

    async def _stream(self, request: dict[str, object], rate_hz: int) -> AsyncGenerator[bytes, None]:
        feed = PcmFeed(rate_hz, rate_hz)
        try:
            async with self._http.stream("POST", "/tts/bytes", json=request, headers=self._headers) as response:
                if not response.is_success:
                    raise status_failure(PROVIDER, response.status_code, response.headers)
                async for data in response.aiter_bytes():
                    if pcm := feed.feed(data):
                        yield pcm
        except httpx.HTTPError as error:
            raise connection_failure(PROVIDER, error) from error
