"""A server that speaks ElevenLabs' streaming text-to-speech protocol, and OpenAI's, with espeak-ng for a voice.

Wire formats: elevenlabs.io/docs/api-reference/text-to-speech/stream, platform.openai.com/docs/api-reference/audio.
"""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.behaviour import Behaviour, Fault, Series
from simulators.sound import Floats, mulaw_encoded, to_pcm
from simulators.voice import DEFAULT_VOICE, UnknownVoice, spoken
from simulators.web import BadBody, LocalServer, Pace, Paced, json_object, refusal

_PIECE_S = 0.04
_OPENAI_RATE_HZ = 24_000
_OUTPUT = re.compile(r"(pcm|ulaw)_(8000|16000|22050|24000|32000|44100|48000)")
_ESPEAK_VOICE = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*(\+[A-Za-z0-9]+)?")
_HEADERS = {"X-Simulator": "espeak-ng"}
_BUZZ_HZ = 300.0
"""Three whole periods in 10 ms, the ear's grain."""
_BUZZ_AMPLITUDE = 0.2
_BUZZ_S_PER_CHARACTER = 0.06
"""About 160 words a minute."""


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One request as it came; `at` is the monotonic time of its arrival."""

    at: float
    text: str
    voice: str
    model: str
    rate_hz: int


Speaker = Callable[[SpeechRequest], Awaitable[Floats]]
"""What the vendor's model makes of a request: samples at its rate; raises UnknownVoice."""


async def espeak(speech: SpeechRequest) -> Floats:
    """espeak-ng speaks; a vendor's voice id gets the default voice."""
    return await spoken(speech.text, voice_name=_espeak_voice(speech.voice), rate_hz=speech.rate_hz)


async def buzz(speech: SpeechRequest) -> Floats:
    """A steady tone as long as the text takes to say: at the ear, whatever is not its level is what became of it."""
    count = round(len(speech.text) * _BUZZ_S_PER_CHARACTER * speech.rate_hz)
    at = np.arange(count) / speech.rate_hz
    return np.asarray(_BUZZ_AMPLITUDE * np.sin(2 * np.pi * _BUZZ_HZ * at), dtype=np.float32)


class TtsServer:
    """Both vendors' endpoints on loopback. Without `api_key` any key is taken, but ElevenLabs' must be there."""

    def __init__(
        self,
        *,
        port: int = 0,
        behaviours: Series[Behaviour] | None = None,
        api_key: str | None = None,
        speaker: Speaker = espeak,
    ) -> None:
        self.behaviours = behaviours or Series(Behaviour())
        self.requests: list[SpeechRequest] = []
        self._api_key = api_key
        self._speaker = speaker
        self._running = AsyncExitStack()
        routes = [
            Route("/v1/text-to-speech/{voice_id}/stream", self._elevenlabs, methods=["POST"]),
            Route("/v1/text-to-speech/{voice_id}", self._elevenlabs, methods=["POST"]),
            Route("/v1/audio/speech", self._openai, methods=["POST"]),
        ]
        self._server = LocalServer(Starlette(routes=routes), port=port)

    @property
    def url(self) -> str:
        """ElevenLabs' base URL; OpenAI's is this and /v1."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    async def __aenter__(self) -> Self:
        await self._running.enter_async_context(self._server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def _elevenlabs(self, request: Request) -> Response:
        key = request.headers.get("xi-api-key")
        if not key or (self._api_key and key != self._api_key):
            return refusal(401, _detail("invalid_api_key", "Invalid API key"))
        output = _OUTPUT.fullmatch(request.query_params.get("output_format", "mp3_44100_128"))
        if output is None:
            return refusal(400, _detail("invalid_output_format", "this simulator speaks pcm_* and ulaw_8000 only"))
        try:
            body = await json_object(request)
            text = _text(body, "text")
        except BadBody as problem:
            return refusal(422, _detail("validation_error", str(problem)))
        speech = SpeechRequest(
            time.monotonic(), text, request.path_params["voice_id"], str(body.get("model_id", "")), int(output[2])
        )
        return await self._answer(speech, is_mulaw=output[1] == "ulaw")

    async def _openai(self, request: Request) -> Response:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or (self._api_key and key != self._api_key):
            return refusal(401, _detail("invalid_api_key", "Incorrect API key provided."))
        try:
            body = await json_object(request)
            text = _text(body, "input")
        except BadBody as problem:
            return refusal(400, _detail("invalid_request_error", str(problem)))
        if body.get("response_format") != "pcm":
            return refusal(400, _detail("invalid_request_error", "this simulator speaks pcm only"))
        speech = SpeechRequest(
            time.monotonic(), text, str(body.get("voice", "")), str(body.get("model", "")), _OPENAI_RATE_HZ
        )
        return await self._answer(speech, is_mulaw=False)

    async def _answer(self, speech: SpeechRequest, *, is_mulaw: bool) -> Response:
        self.requests.append(speech)
        behaviour = self.behaviours.next()
        if behaviour.fault is Fault.RATE_LIMITED:
            return refusal(429, _detail("too_many_concurrent_requests", "Too many concurrent requests"), behaviour)
        if behaviour.fault is Fault.BROKEN:
            return refusal(500, _detail("internal_server_error", "Something went wrong"))
        pace = Pace(behaviour)
        try:
            samples = await self._speaker(speech)
        except UnknownVoice:
            return refusal(404, _detail("voice_not_found", "A voice with that id was not found"))
        if is_mulaw:
            stream = _stream(mulaw_encoded(samples), speech.rate_hz, pace)
            return Paced(stream, media_type="audio/basic", headers=_HEADERS)
        stream = _stream(to_pcm(samples), 2 * speech.rate_hz, pace)
        return Paced(stream, media_type="application/octet-stream", headers=_HEADERS)


async def _stream(data: bytes, bytes_per_s: int, pace: Pace) -> AsyncIterator[bytes]:
    size = int(_PIECE_S * bytes_per_s) & ~1
    await pace.wait(0)
    for start in range(0, len(data), size):
        await pace.wait(start / bytes_per_s)
        yield data[start : start + size]


def _espeak_voice(wanted: str) -> str:
    """An espeak-ng voice name as it is; a vendor's voice id gets the default voice."""
    return wanted if _ESPEAK_VOICE.fullmatch(wanted) and ("+" in wanted or wanted.startswith("en")) else DEFAULT_VOICE


def _text(body: Mapping[str, object], field: str) -> str:
    text = body.get(field)
    if not isinstance(text, str) or not text.strip():
        raise BadBody(f"'{field}' must be a text")
    return text


def _detail(status: str, message: str) -> dict[str, object]:
    """ElevenLabs' error shape and OpenAI's in one: each client reads its own key."""
    error = {"message": message, "type": status, "param": None, "code": status}
    return {"detail": {"status": status, "message": message}, "error": error}
