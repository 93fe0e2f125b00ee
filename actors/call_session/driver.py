"""The only loop of a call: takes events from one inbox, asks the machine, carries out its commands."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from actors.billing.rating import Prices
from actors.call_session import protocol as p
from actors.call_session.journal import Journal
from actors.call_session.lag import LoopLag
from actors.call_session.listener import Listener
from actors.call_session.machine import CallMachine
from actors.call_session.prompt import history_of
from actors.call_session.vendors import Tools, Vendors
from models.call import Call, Usage
from models.settings import Settings
from providers.roles import Llm, MediaCodec, Stt, Tts, Vad
from services.call_log import CallLog

logger = logging.getLogger(__name__)

INBOX_EVENTS = 1000
"""Half a minute of audio windows; a full inbox holds the carrier back."""
OUTBOX_MESSAGES = 200
"""Twenty seconds of speech; a carrier that does not read for so long is gone."""

Send = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CallParts:
    """What a call is made of; `fallback_tts` is local and speaks when the voice's vendor cannot."""

    settings: Settings
    codec: MediaCodec
    vad: Vad
    stt: Stt
    llm: Llm
    tts: Tts
    fallback_tts: Tts
    tools: Tools
    log: CallLog
    recording_path: Path


class CallDriver:
    """Runs one call from its media stream to its final log."""

    def __init__(self, call: Call, parts: CallParts) -> None:
        self._call = call
        self._parts = parts
        self._listener = Listener(call, parts.codec, parts.vad, parts.recording_path)
        self._machine = CallMachine(
            call.agent_config,
            now=time.monotonic(),
            is_outbound=call.direction == "outbound",
            history=history_of(call.turns),
            metadata=call.metadata,
        )
        self._inbox: asyncio.Queue[p.Event] = asyncio.Queue(INBOX_EVENTS)
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_MESSAGES)
        self._answered_at: float | None = None
        self._vendors: Vendors | None = None
        self._lag = LoopLag()
        self._journal = Journal(
            call,
            parts.log,
            prices=Prices.of(parts.settings),
            usage=self._usage,
            recording_path=parts.recording_path,
            on_empty_account=lambda: self._post(p.CreditsExhausted()),
        )

    async def run(self, inbound: AsyncIterator[str | bytes], send: Send) -> None:
        """Carry the call; returns when its final log is written. `inbound` ends when the carrier is gone."""
        try:
            async with asyncio.TaskGroup() as group:
                self._vendors = self._make_vendors(group)
                reading = group.create_task(self._read(inbound))
                sending = group.create_task(self._send(send))
                writing = group.create_task(self._journal.run())
                measuring = group.create_task(self._lag.run())
                await self._loop(self._vendors)
                self._vendors.cancel_all()
                reading.cancel()
                measuring.cancel()
                await writing
                sending.cancel()
        finally:
            self._listener.close()

    def end(self, reason: str) -> None:
        """Somebody with the right to do so ends the call."""
        self._post(p.EndRequested(reason))

    def snapshot(self) -> dict[str, object]:
        """What operators may see of a live call: no words, no numbers."""
        usage = self._usage()
        return {
            "sessionId": self._call.session_id,
            "phase": self._machine.phase.name.lower(),
            "messages": len(self._machine.history),
            "telephonyMs": usage.telephony_ms,
            "loopLagMs": self._lag.figures(),
        }

    # --- the loop -------------------------------------------------------------------------------------
    async def _loop(self, vendors: Vendors) -> None:
        while True:
            event = await self._next_event()
            if isinstance(event, p.Answered):
                self._answered_at = time.monotonic()
                vendors.rate_hz = event.rate_hz
                vendors.prepare(self._call.agent_config.turn_taking.acknowledgements)
            for command in self._machine.handle(event, time.monotonic()):
                self._perform(command, vendors)
                if isinstance(command, p.Finish):
                    return

    async def _next_event(self) -> p.Event:
        deadline = self._machine.deadline(time.monotonic())
        wait_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.get()
        except TimeoutError:
            return p.Tick()

    def _perform(self, command: p.Command, vendors: Vendors) -> None:
        utterances, recorder = self._listener.utterances, self._listener.recorder
        match command:
            case p.StartReply():
                vendors.reply(command)
            case p.RunTool():
                vendors.run_tool(command)
            case p.Synthesize():
                vendors.synthesize(command)
            case p.CancelTurn():
                vendors.cancel(command.turn)
            case p.Finish():
                self._listener.close()
                self._journal.add(command)
            case (
                p.Connect()
                | p.SaveTurn()
                | p.TellPartial()
                | p.SaveAnsweredBy()
                | p.SaveTransfer()
                | p.SaveUsage()
                | p.ReportError()
            ):
                self._journal.add(command)
            case _ if utterances is None or recorder is None:
                return
            case p.OpenUtterance():
                utterances.open(command.utterance)
            case p.CloseUtterance():
                utterances.close(command.utterance)
            case p.Transcribe():
                vendors.transcribe(command, utterances.get(command.utterance), utterances.rate_hz)
            case p.SendAudio():
                recorder.add_agent(command.pcm, starts_in_s=command.at - time.monotonic())
                self._transmit(self._parts.codec.encode_audio(command.pcm))
            case p.SendMark():
                self._transmit(self._parts.codec.encode_mark(command.name))
            case p.ClearPlayback():
                recorder.clear_agent()
                self._transmit(self._parts.codec.encode_clear())

    # --- the three queues -----------------------------------------------------------------------------
    def _post(self, event: p.Event) -> None:
        """An event from outside the loop's own tasks; a full inbox is a stuck call, which the log must show."""
        try:
            self._inbox.put_nowait(event)
        except asyncio.QueueFull:
            logger.error("inbox full, event lost", extra={"call_id": self._call.id, "event": type(event).__name__})

    async def _read(self, inbound: AsyncIterator[str | bytes]) -> None:
        async for message in inbound:
            for event in self._listener.receive(message):
                await self._inbox.put(event)
        await self._inbox.put(p.HungUp("media_closed"))

    def _transmit(self, message: str) -> None:
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self._post(p.HungUp("media_stalled"))

    async def _send(self, send: Send) -> None:
        while True:
            message = await self._outbox.get()
            try:
                await send(message)
            except ConnectionError:
                await self._inbox.put(p.HungUp("media_closed"))
                return

    def _make_vendors(self, group: asyncio.TaskGroup) -> Vendors:
        parts = self._parts
        return Vendors(
            group,
            self._inbox.put,
            config=self._call.agent_config,
            stt=parts.stt,
            llm=parts.llm,
            tts=parts.tts,
            fallback_tts=parts.fallback_tts,
            tools=parts.tools,
            call_id=self._call.id,
        )

    def _usage(self) -> Usage:
        """What the call has used, with what it had used before it came to this actor."""
        before = self._call.usage
        if self._vendors is None or self._answered_at is None:
            return before
        now = self._vendors.meter
        return Usage(
            stt_ms=before.stt_ms + now.stt_ms,
            llm_tokens=before.llm_tokens + now.llm_tokens,
            tts_chars=before.tts_chars + now.tts_chars,
            telephony_ms=before.telephony_ms + int((time.monotonic() - self._answered_at) * 1000),
        )
