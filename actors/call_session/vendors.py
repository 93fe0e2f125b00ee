"""Carries out what is slow, each as a task that ends in events: recognising, thinking, voicing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass

from actors.call_session.protocol import (
    Event,
    ReplyDone,
    ReplyFailed,
    ReplyPiece,
    SpeechDone,
    SpeechPiece,
    StartReply,
    Synthesize,
    Transcribe,
    Transcribed,
    TranscribeFailed,
    VoiceFailed,
)
from models.agent import AgentConfig
from models.errors import ProviderError
from providers.llm.tokens import estimate
from providers.roles import Llm, SpeechAudio, Stt, Tts

logger = logging.getLogger(__name__)

Emit = Callable[[Event], Awaitable[None]]


@dataclass(slots=True)
class Meter:
    """What this actor has used for the call; read for every write of the log."""

    stt_ms: int = 0
    llm_tokens: int = 0
    tts_chars: int = 0


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
        call_id: str,
    ) -> None:
        self._group = group
        self._emit = emit
        self._config = config
        self._stt = stt
        self._llm = llm
        self._tts = tts
        self._fallback_tts = fallback_tts
        self._call_id = call_id
        self._tasks: dict[int, set[asyncio.Task[None]]] = {}
        self._recognising: set[asyncio.Task[None]] = set()
        self.meter = Meter()
        self.rate_hz = 8000

    def transcribe(self, command: Transcribe, mulaw: bytes, rate_hz: int) -> None:
        """Recognise an utterance."""
        audio = SpeechAudio(mulaw, rate_hz, command.speech_s, self._config.language)
        task = self._group.create_task(self._transcribe(command, audio))
        self._recognising.add(task)
        task.add_done_callback(self._recognising.discard)

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
        for task in self._recognising:
            task.cancel()

    def _start(self, turn: int, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work)
        tasks = self._tasks.setdefault(turn, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _transcribe(self, command: Transcribe, audio: SpeechAudio) -> None:
        try:
            transcript = await self._stt.transcribe(audio)
        except ProviderError as error:
            self._log_failure("stt", error)
            await self._emit(TranscribeFailed(command.utterance, command.revision))
            return
        self.meter.stt_ms += len(audio.mulaw) * 1000 // audio.rate_hz
        await self._emit(Transcribed(command.utterance, command.revision, transcript.text))

    async def _reply(self, command: StartReply) -> None:
        llm, text, tokens = self._config.llm, "", 0
        try:
            async with aclosing(
                self._llm.reply(command.messages, model=llm.model, temperature=llm.temperature)
            ) as deltas:
                async for delta in deltas:
                    tokens += delta.tokens
                    text += delta.text
                    if delta.text:
                        await self._emit(ReplyPiece(command.turn, delta.text))
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
            await self._voice(command, self._tts, self._config.voice.voice_id, self._config.voice.model)
        except _Silent as error:
            await self._fall_back(command, error.cause)
        await self._emit(SpeechDone(command.turn, command.clause))

    async def _fall_back(self, command: Synthesize, error: ProviderError) -> None:
        """The local voice says what the vendor could not: another voice is better than none."""
        self._log_failure("tts", error)
        await self._emit(VoiceFailed(command.turn))
        try:
            await self._voice(command, self._fallback_tts, "", None)
        except _Silent as second:
            self._log_failure("fallback_tts", second.cause)

    async def _voice(self, command: Synthesize, tts: Tts, voice_id: str, model: str | None) -> None:
        has_audio = False
        language = self._config.language
        speech = tts.speak(command.text, voice_id=voice_id, model=model, language=language, rate_hz=self.rate_hz)
        try:
            async with aclosing(speech):
                async for pcm in speech:
                    has_audio = True
                    await self._emit(SpeechPiece(command.turn, command.clause, pcm))
        except ProviderError as error:
            if not has_audio:
                raise _Silent(error) from error
            # The clause breaks off; saying it again from the start would repeat what was heard.
            self._log_failure("tts", error)

    def _log_failure(self, role: str, error: ProviderError) -> None:
        logger.warning("vendor failed", extra={"call_id": self._call_id, "role": role, "provider": error.provider})


class _Silent(Exception):
    """A voice failed before its first sound."""

    def __init__(self, cause: ProviderError) -> None:
        super().__init__(cause.message)
        self.cause = cause
