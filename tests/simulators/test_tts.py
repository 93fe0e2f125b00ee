"""The voice server speaks both vendors' protocols: judged by their own clients."""

import time
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions

from simulators.behaviour import Behaviour, Fault
from simulators.loudness import Loudness
from simulators.sound import from_pcm, level_dbfs
from simulators.tts import TtsServer, buzz

pytestmark = pytest.mark.integration

TEXT = "Thank you for calling."


@pytest.fixture
async def server() -> AsyncIterator[TtsServer]:
    async with TtsServer(api_key="key") as server:
        yield server


@pytest.fixture
async def client(server: TtsServer) -> AsyncIterator[AsyncElevenLabs]:
    async with httpx.AsyncClient() as http:
        yield AsyncElevenLabs(base_url=server.url, api_key="key", httpx_client=http)


async def spoken(client: AsyncElevenLabs, *, output_format: str = "pcm_8000", voice: str = "en-us+m3") -> list[bytes]:
    """The pieces of one streamed sentence."""
    stream = client.text_to_speech.stream(
        voice, text=TEXT, model_id="eleven_flash_v2_5", output_format=output_format, request_options={"max_retries": 0}
    )
    return [piece async for piece in stream]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
async def test_speech_comes_at_the_wanted_rate(client: AsyncElevenLabs, server: TtsServer, rate_hz: int) -> None:
    pcm = b"".join(await spoken(client, output_format=f"pcm_{rate_hz}"))
    assert 0.8 < len(pcm) / 2 / rate_hz < 2.0
    assert level_dbfs(from_pcm(pcm)) > -40
    assert (server.requests[0].text, server.requests[0].model) == (TEXT, "eleven_flash_v2_5")


async def test_mulaw_takes_a_byte_a_sample(client: AsyncElevenLabs) -> None:
    pcm, mulaw = [b"".join(await spoken(client, output_format=name)) for name in ("pcm_8000", "ulaw_8000")]
    # espeak-ng speaks the same sentence a few samples longer or shorter each time.
    assert len(mulaw) * 2 == pytest.approx(len(pcm), rel=0.02)


async def test_a_vendors_voice_id_gets_a_voice(client: AsyncElevenLabs) -> None:
    assert len(b"".join(await spoken(client, voice="21m00Tcm4TlvDq8ikWAM"))) > 8_000


async def test_first_byte_and_pace_are_kept(client: AsyncElevenLabs, server: TtsServer) -> None:
    server.behaviours.add(Behaviour(first_s=0.1, per_s=4))
    started, times = time.monotonic(), []
    async for _ in client.text_to_speech.stream("en-us+m3", text=TEXT, output_format="pcm_8000"):
        times.append(time.monotonic() - started)
    assert 0.1 <= times[0] < 0.4
    assert 0.3 <= times[-1] < 0.9


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.RATE_LIMITED, 429), (Fault.BROKEN, 500)], ids=["rate limited", "broken"]
)
async def test_faults_have_the_vendors_shape(
    client: AsyncElevenLabs, server: TtsServer, fault: Fault, status: int
) -> None:
    server.behaviours.add(Behaviour(fault=fault))
    with pytest.raises(ApiError) as caught:
        await spoken(client)
    assert caught.value.status_code == status
    assert "status" in caught.value.body["detail"]


async def test_a_stall_and_a_cut_come_after_their_audio(client: AsyncElevenLabs, server: TtsServer) -> None:
    for fault in (Fault.STALL, Fault.CUT):
        server.behaviours.add(Behaviour(fault=fault, after=0.2))
        heard = 0
        options: RequestOptions = {"timeout_in_seconds": 1, "max_retries": 0}
        with pytest.raises((httpx.HTTPError, ApiError)):  # noqa: PT012 - fails while it is read
            async for piece in client.text_to_speech.stream(
                "en-us", text=TEXT, output_format="pcm_8000", request_options=options
            ):
                heard += len(piece)
        # The client hands on whole kilobytes; what is left when the stream breaks is lost in it.
        assert heard == 3 * 1_024


async def test_wrong_requests_are_refused(client: AsyncElevenLabs, server: TtsServer) -> None:
    for output_format, voice, status in (("mp3_44100_128", "en-us", 400), ("pcm_8000", "en-none", 404)):
        with pytest.raises(ApiError) as caught:
            await spoken(client, output_format=output_format, voice=voice)
        assert caught.value.status_code == status
    async with httpx.AsyncClient() as http:
        with pytest.raises(ApiError) as caught:
            await spoken(AsyncElevenLabs(base_url=server.url, api_key="wrong", httpx_client=http))
        assert caught.value.status_code == 401


async def test_openais_endpoint_speaks_at_24_khz(server: TtsServer) -> None:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0) as client:
        speech = await client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format="pcm")
        assert 0.8 < len(speech.content) / 2 / 24_000 < 2.0
        with pytest.raises(openai.BadRequestError):
            await client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format="mp3")


async def test_a_steady_voice_is_as_loud_in_every_hundredth_of_a_second() -> None:
    async with (
        TtsServer(speaker=buzz) as server,
        httpx.AsyncClient() as http,
    ):
        client = AsyncElevenLabs(base_url=server.url, api_key="any", httpx_client=http)
        heard = from_pcm(b"".join(await spoken(client)))
    levels = Loudness.of(heard, 8_000, 0.0).levels
    assert len(heard) / 8_000 == pytest.approx(0.06 * len(TEXT))
    assert max(levels) - min(levels) < 0.1
