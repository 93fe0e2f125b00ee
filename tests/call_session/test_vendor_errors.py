"""Failures of vendors are counted by role and vendor, whatever the call makes of them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from actors.call_session.protocol import Event, StartReply, Synthesize, Transcribe, TranscribeFailed, VoiceFailed
from actors.call_session.vendors import Vendors
from models.errors import ProviderError
from providers.roles import ReplyDelta, SttKind, SttRequest, ToolCall, ToolSpec, Transcript
from tests.documents import CONFIG
from tests.numbers import counted


class Failing:
    """A vendor of every role that does nothing but fail."""

    def __init__(self, name: str) -> None:
        self._error = ProviderError("no", provider=name, retryable=False)

    async def transcribe(self, request: SttRequest) -> Transcript:
        """Fails."""
        raise self._error

    async def reply(self, messages: Any, **_: Any) -> AsyncGenerator[ReplyDelta, None]:
        """Fails before the first word."""
        raise self._error
        yield

    async def speak(self, text: str, **_: Any) -> AsyncGenerator[bytes, None]:
        """Fails before the first sound."""
        raise self._error
        yield


class NoTools:
    """An agent without functions."""

    specs: Sequence[ToolSpec] = ()

    async def run(self, call: ToolCall) -> str:
        """Never asked."""
        raise AssertionError(call)


async def test_each_failure_counts_once_under_its_role_and_vendor() -> None:
    events: list[Event] = []

    async def emit(event: Event) -> None:
        events.append(event)

    with counted() as numbers:
        async with asyncio.TaskGroup() as group:
            vendors = Vendors(
                group,
                emit,
                config=CONFIG,
                stt=Failing("speech_to_text"),
                llm=Failing("openai"),
                tts=Failing("cartesia"),
                fallback_tts=Failing("espeak"),
                tools=NoTools(),
                call_id="call",
            )
            vendors.transcribe(Transcribe(1, 1, SttKind.FINAL, 1.0), b"", 8_000)
            vendors.reply(StartReply(1, ()))
            vendors.synthesize(Synthesize(1, 1, "Hello"))
    told = {(tags["role"], tags["vendor"]): value for _, value, tags in numbers.told}
    assert len(numbers.told) == 4
    assert told == {
        ("stt", "speech_to_text"): 1.0,
        ("llm", "openai"): 1.0,
        ("tts", "cartesia"): 1.0,
        ("fallback_tts", "espeak"): 1.0,
    }
    assert {type(event) for event in events} >= {TranscribeFailed, VoiceFailed}
