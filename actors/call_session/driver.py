"""The only loop of a call: takes events from one inbox, asks the machine, carries out its commands."""

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from actors.billing.rating import Prices
from actors.call_session import protocol as p
from actors.call_session.door import Attachment, Send
from actors.call_session.journal import Journal
from actors.call_session.lag import LoopLag
from actors.call_session.listener import Listener
from actors.call_session.machine import EDGE_LOST, CallMachine
from actors.call_session.resuming import Resumption, resumption
from actors.call_session.settling import Settling
from actors.call_session.vendors import Tools, Vendors
from models.call import Call, Usage
from models.settings import Settings
from providers.roles import Llm, MediaCodec, Stt, Tts, Vad
from services import meters
from services.call_log import CallLog
from services.timeline import latency

logger = logging.getLogger(__name__)

INBOX_EVENTS = 1000
"""Half a minute of audio windows; a full inbox holds the carrier back."""
OUTBOX_MESSAGES = 200
"""Twenty seconds of speech; a carrier that does not read for so long is gone."""
WRITTEN_WITHIN_S = 2.0
"""The carrier may ask at once what to do with a caller whose agent has left, so the log comes first; but not for long:
a database that is away must not keep a caller in silence."""
REPEATED_AT_ONCE = 20
"""Two seconds of repeated sound; then others, such as what is to be sent, get their turn."""


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
        self._inbox: asyncio.Queue[p.Event] = asyncio.Queue(INBOX_EVENTS)
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_MESSAGES)
        self._answered_at: float | None = None
        self._resume(was_carried=False)
        self._settling = Settling()
        self._is_over = False
        self._vendors: Vendors | None = None
        self._lag = LoopLag()
        self._journal = Journal(
            call,
            parts.log,
            prices=Prices.of(parts.settings),
            usage=self._usage,
            recording_path=parts.recording_path,
            on_empty_account=lambda: self._post(p.CreditsExhausted()),
            on_stuck=lambda: self._post(p.LogStuck()),
            buffer=parts.settings.call_log_buffer,
        )

    async def run(self, media: Attachment) -> None:
        """Carry the call; returns when its final log is written. One that was answered before is gone on with."""
        if media.repeats:
            self._resume(was_carried=True)
        meters.set_to("calls_live", 1)
        try:
            async with asyncio.TaskGroup() as group:
                self._vendors = self._make_vendors(group)
                sending = group.create_task(self._send(media.send))
                writing = group.create_task(self._journal.run())
                writing.add_done_callback(lambda _: self._post(p.HungUp("log_closed")))
                measuring = group.create_task(self._lag.run())
                await self._catch_up(media, self._vendors)
                reading = group.create_task(self._read(media))
                await self._loop(media, self._vendors)
                self._vendors.cancel_all()
                reading.cancel()
                measuring.cancel()
                await asyncio.wait({writing}, timeout=WRITTEN_WITHIN_S)
                media.hang_up()
                await writing
                sending.cancel()
        finally:
            meters.set_to("calls_live", 0)
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
    def _resume(self, *, was_carried: bool) -> None:
        """A machine for the call as the store knows it."""
        call, now = self._call, time.monotonic()
        self._resumption: Resumption | None = resumption(call, datetime.now(UTC), was_carried=was_carried)
        if self._resumption is not None:
            self._answered_at = now - self._resumption.answered_ago_s
        self._machine = CallMachine(
            call.agent_config,
            now=now,
            is_outbound=call.direction == "outbound",
            metadata=call.metadata,
            resumption=self._resumption,
            marks=f"{secrets.token_hex(3)}.",
        )

    async def _catch_up(self, media: Attachment, vendors: Vendors) -> None:
        """What the carrier said while no actor had the call, piece by piece: a word's sound must be there, and no more,
        when the machine notices it.
        """
        messages: list[str | bytes] = []
        while len(messages) < media.repeats and (message := await anext(media.inbound, None)) is not None:
            messages.append(message)
        ago_s = None if self._answered_at is None else time.monotonic() - self._answered_at
        settled_ago_s = self._resumption.settled_ago_s if self._resumption is not None else float("inf")
        heard = self._listener.repeated(messages, answered_ago_s=ago_s, settled_ago_s=settled_ago_s)
        for number, (message, events) in enumerate(zip(messages, heard, strict=True), 1):
            self._took(message, events, media)
            for event in events:
                self._handle(event, vendors)
            if number % REPEATED_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _loop(self, media: Attachment, vendors: Vendors) -> None:
        while not self._is_over:
            self._handle(await self._next_event(), vendors)
            is_needed = self._machine.needs_sound or self._journal.is_behind
            settled = self._settling.due(time.monotonic(), is_needed=is_needed)
            if settled is not None:
                media.settled(settled)

    def _handle(self, event: p.Event, vendors: Vendors) -> None:
        now = time.monotonic()
        if isinstance(event, p.Answered):
            self._answered_at = now if self._answered_at is None else self._answered_at
            vendors.rate_hz = event.rate_hz
            vendors.prepare(self._call.agent_config.turn_taking.acknowledgements)
        for command in self._machine.handle(event, now):
            self._perform(command, vendors)
            self._measure(command)
            self._is_over = self._is_over or isinstance(command, p.Finish)

    def _measure(self, command: p.Command) -> None:
        match command:
            case p.SaveTurn(role="assistant") if (total_ms := latency(command.timings).total_ms) is not None:
                meters.observe("turn_latency_ms", total_ms)
            case p.Finish():
                meters.count("calls_ended_total", status=command.status, reason=command.reason)

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
                | p.SaveProgress()
                | p.TellPartial()
                | p.SaveAnsweredBy()
                | p.SaveTransfer()
                | p.SaveDisposition()
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

    async def _read(self, media: Attachment) -> None:
        async for message in media.inbound:
            events = self._listener.receive(message)
            self._took(message, events, media)
            for event in events:
                await self._inbox.put(event)
        await self._inbox.put(p.HungUp("media_closed" if media.is_closed() else EDGE_LOST))

    def _took(self, message: str | bytes, events: list[p.Event], media: Attachment) -> None:
        """For the day this actor dies, the edge is told which message opened the stream."""
        self._settling.received(time.monotonic())
        if any(isinstance(event, p.Answered) for event in events):
            media.keep(message if isinstance(message, str) else message.decode(errors="replace"))

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
                return  # then nothing comes in any more either, which says who is gone

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
        """What the call has used, with what it had used before it came to this actor; on the line, since it was first
        answered.
        """
        before = self._call.usage
        if self._vendors is None or self._answered_at is None:
            return before
        now = self._vendors.meter
        return Usage(
            stt_ms=before.stt_ms + now.stt_ms,
            llm_tokens=before.llm_tokens + now.llm_tokens,
            tts_chars=before.tts_chars + now.tts_chars,
            telephony_ms=max(before.telephony_ms, int((time.monotonic() - self._answered_at) * 1000)),
        )
