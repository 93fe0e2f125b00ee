"""A call's loop in one process, its vendors and its carrier of the test's own: for tests of the driver."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from actors.call_session.door import Attachment
from actors.call_session.driver import CallDriver, CallParts
from models.call import Call, CallStatus, Lease, Progress, Turn, TurnTimings
from models.document import new_id
from models.settings import Settings
from models.sound import Floats
from providers import registry
from providers.roles import Message, ReplyDelta, SttRequest, ToolCall, ToolSpec, Transcript
from services.call_log import CallLog
from tests.documents import a_call

START = json.dumps({"event": "start", "stream_sid": "s", "start": {"stream_sid": "s", "call_sid": "sid"}})
ENOUGH_S = 5.0


def sound(level: int = 0) -> str:
    """100 ms."""
    pcm = level.to_bytes(2, "little") * 800
    return json.dumps({"event": "media", "stream_sid": "s", "media": {"payload": base64.b64encode(pcm).decode()}})


class Vendors:
    """Hears the same words in everything, answers with one sentence, says each in 50 ms, and takes loud for speech."""

    specs: Sequence[ToolSpec] = ()

    def __init__(self) -> None:
        self.asked: list[Sequence[Message]] = []

    def probability(self, window: Floats) -> float:
        return float(abs(window).max() > 0.1)

    async def transcribe(self, request: SttRequest) -> Transcript:
        return Transcript("book a visit please.", 1.0)

    async def reply(self, messages: Sequence[Message], **more: Any) -> AsyncGenerator[ReplyDelta, None]:
        self.asked.append(messages)
        yield ReplyDelta("Which day?", tokens=1)

    async def speak(self, text: str, **more: Any) -> AsyncGenerator[bytes, None]:
        yield b"\1\0" * 400

    async def run(self, call: ToolCall) -> str:
        raise AssertionError("no function is called here")


@dataclass
class Log:
    """What was written."""

    entries: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    has_news: asyncio.Event = field(default_factory=asyncio.Event)
    end: tuple[CallStatus, str] | None = None
    usage_ms: int = 0
    is_there: asyncio.Event = field(default_factory=asyncio.Event)
    """The database; clear it and the last entry waits."""

    def __post_init__(self) -> None:
        self.is_there.set()

    async def connected(self, call: Call, now: datetime) -> None:
        self.entries.append("connected")

    async def record_turn(self, call: Call, turn: Turn, usage: Any, cost: Any, now: datetime) -> None:
        self.turns.append(turn)
        self.has_news.set()

    async def save_progress(self, call: Call, progress: Progress, now: datetime) -> None:
        self.entries.append("progress")

    async def tell_partial(self, call: Call, text: str, revision: int, now: datetime) -> None:
        self.entries.append("partial")

    async def cover(self, call: Call, target: int, now: datetime) -> bool:
        return True

    async def finish(self, call: Call, *, status: CallStatus, reason: str, usage: Any, **more: Any) -> None:
        await self.is_there.wait()
        self.end, self.usage_ms = (status, reason), usage.telephony_ms


class Carrier:
    """The edge and the carrier behind it: what was sent, and what the edge was told.

    `plays`: everything at once; otherwise nothing is ever said to have been played.
    """

    def __init__(self, *repeated: str, plays: bool = True) -> None:
        self._plays = plays
        self.inbound: asyncio.Queue[str | None] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.kept: list[str] = []
        self.settled: list[int] = []
        self.is_closed = False
        self.was_hung_up = asyncio.Event()
        self._repeats = len(repeated)
        for message in repeated:
            self.inbound.put_nowait(message)

    async def _messages(self) -> AsyncIterator[str | bytes]:
        while (message := await self.inbound.get()) is not None:
            yield message

    async def _send(self, text: str) -> None:
        message = json.loads(text)
        self.sent.append(message)
        if self._plays and message["event"] == "mark":
            self.inbound.put_nowait(text)

    def attachment(self) -> Attachment:
        return Attachment(
            session_id="sess",
            query={},
            inbound=self._messages(),
            send=self._send,
            repeats=self._repeats,
            keep=self.kept.append,
            settled=self.settled.append,
            hang_up=self._hang_up,
            is_closed=lambda: self.is_closed,
        )

    def _hang_up(self) -> None:
        self.was_hung_up.set()

    def leave(self, *, is_closed: bool) -> None:
        self.is_closed = is_closed
        self.inbound.put_nowait(None)


@dataclass
class Running:
    """A call under way."""

    task: asyncio.Task[None]
    carrier: Carrier
    log: Log
    vendors: Vendors

    async def until(self, *, turns: int) -> None:
        async with asyncio.timeout(ENOUGH_S):
            while len(self.log.turns) < turns:
                self.log.has_news.clear()
                await self.log.has_news.wait()

    async def over(self) -> None:
        async with asyncio.timeout(ENOUGH_S):
            await self.task


def run(call: Call, carrier: Carrier, tmp_path: Path, real_log: CallLog | None = None) -> Running:
    vendors, log = Vendors(), Log()
    parts = CallParts(
        settings=Settings(_env_file=None),
        codec=registry.media_codec("exotel", {}),
        vad=vendors,
        stt=vendors,
        llm=vendors,
        tts=vendors,
        fallback_tts=vendors,
        tools=vendors,
        log=real_log or cast(CallLog, log),
        recording_path=tmp_path / "one.wav",
    )
    task = asyncio.create_task(CallDriver(call, parts).run(carrier.attachment()))
    return Running(task, carrier, log, vendors)


def inbound_call(**fields: Any) -> Call:
    return a_call(new_id(), direction="inbound", **fields)


def carried_call(**fields: Any) -> Call:
    """Answered ten seconds ago; another actor had it until now."""
    now = datetime.now(UTC)
    own = {
        "status": CallStatus.IN_PROGRESS,
        "started_at": now - timedelta(seconds=10),
        "lease": Lease(actor="next", leased_at=now),
    }
    return inbound_call(**(own | fields))


def question(ended_ms: int = 8_000) -> Turn:
    timings = TurnTimings(speech_end_ms=ended_ms)
    return Turn(index=0, role="user", content="book a visit", timestamp=datetime.now(UTC), timings=timings)
