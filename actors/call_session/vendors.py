"""Carries out what is slow, each as a task that ends in events: recognising, thinking, voicing."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from actors.call_session.protocol import (
    Event,
    ReplyDone,
    ReplyFailed,
    ReplyPiece,
    RunTool,
    SpeechDone,
    SpeechPiece,
    StartReply,
    Synthesize,
    ToolAnswered,
    ToolsAsked,
    Transcribe,
    Transcribed,
    TranscribeFailed,
    VoiceFailed,
)
from models.agent import AgentConfig
from models.errors import ProviderError
from providers.llm.tokens import estimate
from providers.roles import SHED, Llm, SpeechAudio, Stt, SttRequest, ToolCall, ToolSpec, Tts
from services import meters

logger = logging.getLogger(__name__)

Emit = Callable[[Event], Awaitable[None]]


class Tools(Protocol):
    """The functions of the call's agent."""

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """What the model may ask for."""

    async def run(self, call: ToolCall) -> str:
        """What a function gives back, as text for the model; a failure in words."""


@dataclass(slots=True)
class Meter:
    """What this actor has used for the call; read for every write of the log."""

    stt_ms: int = 0
    """Each utterance once, at its longest: recognising it again as it grew is our own doing."""
    llm_tokens: int = 0
    tts_chars: int = 0
    _utterance: int = 0
    _utterance_ms: int = 0

    def add_speech(self, utterance: int, ms: int) -> None:
        """An utterance was recognised as far as `ms`."""
        if utterance != self._utterance:
            self._utterance, self._utterance_ms = utterance, 0
        self.stt_ms += max(0, ms - self._utterance_ms)
        self._utterance_ms = max(ms, self._utterance_ms)


class Vendors:
    """The slow side of one call. Every task belongs to the group; a cancelled turn's tasks end at once."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        emit: Emit,
        *,
        config: AgentConfig,
        stt: Stt,
        llm: Llm,
        tts: Tts,
        fallback_tts: Tts,
        tools: Tools,
        call_id: str,
    ) -> None:
        self._group = group
        self._emit = emit
        self._config = config
        self._stt = stt
        self._llm = llm
        self._tts = tts
        self._fallback_tts = fallback_tts
        self._functions = tools
        self._call_id = call_id
        self._tasks: dict[int, set[asyncio.Task[None]]] = {}
        self._untied: set[asyncio.Task[None]] = set()
        self.meter = Meter()
        self.rate_hz = 8000

    def transcribe(self, command: Transcribe, mulaw: bytes, rate_hz: int) -> None:
        """Recognise an utterance."""
        audio = SpeechAudio(mulaw, rate_hz, command.speech_s, self._config.language)
        self._start_untied(self._transcribe(command, audio))

    def run_tool(self, command: RunTool) -> None:
        """Call a function; what has begun is not taken back by an interruption."""
        self._start_untied(self._run_tool(command))

    def prepare(self, sentences: Sequence[str]) -> None:
        """Have sentences voiced before they are needed."""
        self._start_untied(self._prepare(sentences))

    def reply(self, command: StartReply) -> None:
        """Ask the language model."""
        self._start(command.turn, self._reply(command))

    def synthesize(self, command: Synthesize) -> None:
        """Voice a clause."""
        self._start(command.turn, self._synthesize(command))

    def cancel(self, turn: int) -> None:
        """Nobody waits for this turn any more."""
        for task in self._tasks.pop(turn, set()):
            task.cancel()

    def cancel_all(self) -> None:
        """The call is over."""
        for turn in list(self._tasks):
            self.cancel(turn)
        for task in self._untied:
            task.cancel()

    def _start(self, turn: int, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work)
        tasks = self._tasks.setdefault(turn, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _start_untied(self, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work)
        self._untied.add(task)
        task.add_done_callback(self._untied.discard)

    async def _transcribe(self, command: Transcribe, audio: SpeechAudio) -> None:
        request = SttRequest(self._call_id, command.utterance, command.revision, command.kind, audio)
        try:
            transcript = await self._stt.transcribe(request)
        except ProviderError as error:
            self._log_failure("stt", error)
            await self._emit(TranscribeFailed(command.utterance, command.revision))
            return
        if transcript.rejected != SHED:
            self.meter.add_speech(command.utterance, len(audio.mulaw) * 1000 // audio.rate_hz)
        await self._emit(
            Transcribed(
                command.utterance,
                command.revision,
                transcript.text,
                rejected=transcript.rejected,
                queue_ms=transcript.queue_ms,
                decode_ms=transcript.decode_ms,
                backlog_ms=transcript.backlog_ms,
            )
        )

    async def _run_tool(self, command: RunTool) -> None:
        content = await self._functions.run(command.call)
        await self._emit(ToolAnswered(command.turn, command.call.id, content))

    async def _prepare(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            try:
                async with aclosing(self._speech(self._tts, sentence)) as speech:
                    async for _ in speech:
                        pass
            except ProviderError as error:
                self._log_failure("tts", error)
                return

    async def _reply(self, command: StartReply) -> None:
        llm, text, tokens = self._config.llm, "", 0
        try:
            async with aclosing(
                self._llm.reply(
                    command.messages, model=llm.model, temperature=llm.temperature, tools=self._functions.specs
                )
            ) as deltas:
                async for delta in deltas:
                    tokens += delta.tokens
                    text += delta.text
                    if delta.text:
                        await self._emit(ReplyPiece(command.turn, delta.text))
                    if delta.tool_calls:
                        await self._emit(ToolsAsked(command.turn, delta.tool_calls))
        except ProviderError as error:
            self._log_failure("llm", error)
            await self._emit(ReplyFailed(command.turn))
            return
        finally:
            # The vendor bills a reply that was cut off too, but says how much only at its end.
            self.meter.llm_tokens += tokens or (estimate(command.messages, text) if text else 0)
        await self._emit(ReplyDone(command.turn))

    async def _synthesize(self, command: Synthesize) -> None:
        self.meter.tts_chars += len(command.text)
        try:
            await self._voice(command, self._tts)
        except _Silent as error:
            await self._fall_back(command, error.cause)
        await self._emit(SpeechDone(command.turn, command.clause))

    async def _fall_back(self, command: Synthesize, error: ProviderError) -> None:
        """The local voice says what the vendor could not: another voice is better than none."""
        self._log_failure("tts", error)
        await self._emit(VoiceFailed(command.turn))
        try:
            await self._voice(command, self._fallback_tts)
        except _Silent as second:
            self._log_failure("fallback_tts", second.cause)

    async def _voice(self, command: Synthesize, tts: Tts) -> None:
        has_audio = False
        try:
            async with aclosing(self._speech(tts, command.text)) as speech:
                async for pcm in speech:
                    has_audio = True
                    await self._emit(SpeechPiece(command.turn, command.clause, pcm))
        except ProviderError as error:
            if not has_audio:
                raise _Silent(error) from error
            # The clause breaks off; saying it again from the start would repeat what was heard.
            self._log_failure("tts", error)

    def _speech(self, tts: Tts, text: str) -> AsyncGenerator[bytes, None]:
        """A voice on this call's line; the local one has only its own voices."""
        voice, language = self._config.voice, self._config.language
        is_local = tts is self._fallback_tts
        voice_id, model = ("", None) if is_local else (voice.voice_id, voice.model)
        return tts.speak(text, voice_id=voice_id, model=model, language=language, rate_hz=self.rate_hz)

    def _log_failure(self, role: str, error: ProviderError) -> None:
        meters.count("vendor_errors_total", role=role, vendor=error.provider)
        logger.warning("vendor failed", extra={"call_id": self._call_id, "role": role, "provider": error.provider})


class _Silent(Exception):
    """A voice failed before its first sound."""

    def __init__(self, cause: ProviderError) -> None:
        super().__init__(cause.message)
        self.cause = cause
