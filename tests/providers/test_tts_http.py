"""The voices that come over HTTP, each through its real client: same promises, different wires."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from types import ModuleType

import httpx
import httpx2
import numpy as np
import pytest
from elevenlabs.client import AsyncElevenLabs
from openai import AsyncOpenAI

from models.errors import ProviderError
from models.sound import pcm_encode
from providers.deadlines import Limits
from providers.roles import Tts
from providers.tts.cartesia import CartesiaTts
from providers.tts.elevenlabs import ElevenLabsTts
from providers.tts.openai import OpenAiTts

FAST = Limits(wait_s=1.0, total_s=5.0, attempts=2, pause_s=0.0)
TONE = pcm_encode((0.3 * np.sin(np.arange(24_000) / 9.0)).astype(np.float32))


class Sound(httpx.AsyncByteStream, httpx2.AsyncByteStream):
    """A body in pieces that notes its end; `is_cut`: the connection breaks behind the last one."""

    def __init__(self, *pieces: bytes, is_cut: bool = False) -> None:
        self.pieces, self.is_cut, self.is_closed = pieces, is_cut, False
        self.broken: type[Exception] = OSError

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.is_cut:
            raise self.broken("peer closed connection")

    async def aclose(self) -> None:
        self.is_closed = True


class Wire:
    """One vendor behind its own client: answers in order (a sound, or a status to refuse with), keeps the requests."""

    def __init__(self, vendor: str, answers: Sequence[Sound | int]) -> None:
        self.http: ModuleType = httpx2 if vendor == "openai" else httpx
        self.answers = list(answers)
        self.urls: list[str] = []
        self.bodies: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.client = self.http.AsyncClient(transport=self.http.MockTransport(self.answer), base_url="http://tts.test")
        self.tts: Tts = VENDORS[vendor](self)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        self.bodies.append(json.loads(request.content))
        self.headers.append(dict(request.headers))
        answer = self.answers[len(self.urls) - 1]
        if isinstance(answer, int):
            refusal: httpx.Response = self.http.Response(answer, json={"detail": "no"}, headers={"Retry-After": "0"})
            return refusal
        answer.broken = self.http.ReadError
        sound: httpx.Response = self.http.Response(200, stream=answer, headers={"content-type": "audio/pcm"})
        return sound


VENDORS: dict[str, Callable[[Wire], Tts]] = {
    "elevenlabs": lambda wire: ElevenLabsTts(
        AsyncElevenLabs(api_key="k", base_url="http://tts.test", httpx_client=wire.client), FAST
    ),
    "openai": lambda wire: OpenAiTts(
        AsyncOpenAI(api_key="k", base_url="http://tts.test/v1", max_retries=0, http_client=wire.client), FAST
    ),
    "cartesia": lambda wire: CartesiaTts(wire.client, FAST, api_key="k"),
}

each_vendor = pytest.mark.parametrize("vendor", VENDORS)


async def speech(wire: Wire, *, rate_hz: int = 24_000, model: str | None = None) -> tuple[bytes, ProviderError | None]:
    pcm = b""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(wire.client.aclose)
        said = wire.tts.speak("Hello.", voice_id="v1", model=model, language="en-US", rate_hz=rate_hz)
        try:
            async for piece in said:
                assert len(piece) % 2 == 0
                pcm += piece
        except ProviderError as error:
            return pcm, error
    return pcm, None


@each_vendor
async def test_speech_arrives_complete_whatever_the_pieces(vendor: str) -> None:
    wire = Wire(vendor, [Sound(TONE[:1], TONE[1:4_000], TONE[4_000:4_001], TONE[4_001:])])
    assert await speech(wire) == (TONE, None)


async def test_elevenlabs_is_asked_for_the_carriers_own_rate() -> None:
    wire = Wire("elevenlabs", [Sound(TONE)])
    await speech(wire, rate_hz=8_000)
    assert wire.urls == ["http://tts.test/v1/text-to-speech/v1/stream?output_format=pcm_8000"]
    assert wire.bodies == [{"text": "Hello."}]
    assert wire.headers[0]["xi-api-key"] == "k"


async def test_elevenlabs_models_that_take_a_language_get_one() -> None:
    wire = Wire("elevenlabs", [Sound(TONE)])
    await speech(wire, model="eleven_flash_v2_5")
    assert wire.bodies == [{"text": "Hello.", "model_id": "eleven_flash_v2_5", "language_code": "en"}]


async def test_openai_speaks_at_24_khz_and_is_resampled() -> None:
    wire = Wire("openai", [Sound(TONE)])
    pcm, error = await speech(wire, rate_hz=8_000)
    assert error is None
    assert abs(len(pcm) - len(TONE) / 3) <= 4
    assert wire.urls == ["http://tts.test/v1/audio/speech"]
    assert wire.bodies == [{"input": "Hello.", "voice": "v1", "model": "gpt-4o-mini-tts", "response_format": "pcm"}]


async def test_cartesia_is_asked_for_raw_sound_at_the_carriers_own_rate() -> None:
    wire = Wire("cartesia", [Sound(TONE)])
    await speech(wire, rate_hz=8_000, model="sonic-2")
    assert wire.urls == ["http://tts.test/tts/bytes"]
    assert wire.bodies == [
        {
            "model_id": "sonic-2",
            "transcript": "Hello.",
            "voice": {"mode": "id", "id": "v1"},
            "language": "en",
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8_000},
        }
    ]
    assert wire.headers[0]["authorization"] == "Bearer k"
    assert wire.headers[0]["cartesia-version"] == "2025-04-16"


@each_vendor
@pytest.mark.parametrize("first", [429, 503, Sound(), Sound(is_cut=True)], ids=["429", "503", "no sound", "cut"])
async def test_a_failure_before_the_first_sound_is_tried_again(vendor: str, first: Sound | int) -> None:
    wire = Wire(vendor, [first, Sound(TONE)])
    assert await speech(wire) == (TONE, None)


@each_vendor
@pytest.mark.parametrize("status", [400, 401, 422])
async def test_a_refusal_is_final(vendor: str, status: int) -> None:
    wire = Wire(vendor, [status])
    pcm, error = await speech(wire)
    assert pcm == b""
    assert error is not None
    assert (error.provider, error.retryable, len(wire.urls)) == (vendor, False, 1)


@each_vendor
async def test_speech_cut_in_the_middle_fails_after_what_had_arrived(vendor: str) -> None:
    wire = Wire(vendor, [Sound(TONE[:6_400], is_cut=True)])
    pcm, error = await speech(wire)
    assert pcm == TONE[:6_400]
    assert error is not None
    assert len(wire.urls) == 1


@each_vendor
async def test_closing_the_speech_closes_the_http_stream(vendor: str) -> None:
    sound = Sound(TONE[:6_400], TONE[6_400:])
    wire = Wire(vendor, [sound])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(wire.client.aclose)
        said = wire.tts.speak("Hello.", voice_id="v1", model=None, language="en", rate_hz=24_000)
        await anext(said)
        assert not sound.is_closed
        await said.aclose()
        assert sound.is_closed
