"""One call as a state machine: `handle(event, now)` gives commands, `deadline(now)` says when to be called again. Pure.

WAITING for the carrier's media -> LIVE -> (CLOSING: the last sentence is being said | DRAINING: the line is dead, the
last words are being recognised) -> ENDED. Nothing is played or saved after ENDED. An answer to something nobody waits
for any more is dropped in `Speaking._reply_of` and `Hearing._find`, by its turn or revision.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import assert_never

from actors.call_session import prompt, protocol as p
from actors.call_session.hearing import Hearing, Output, Overheard, Said, SpeechResumed, SpeechSustained, Unclear
from actors.call_session.playout import Playout
from actors.call_session.speaking import Speaking
from models.agent import AgentConfig
from models.call import CallStatus
from providers.roles import Message

MEDIA_WAIT_S = 15.0
"""A media socket that never sends its start is no call."""
CLOSING_S = 20.0
"""The last sentence gets this long."""
DRAINING_S = 4.0
"""The last words get this long to be recognised."""
USAGE_EVERY_S = 10.0
MAX_FAILURES = 3
"""Vendor faults in a row before the agent gives up, in words."""
ASK_AGAIN_SPEECH_S = 0.8
"""Speech this long without recognised words was meant for the agent: it asks, but not twice running, so that music
on the line does not become a conversation."""


class Phase(Enum):
    """Where the call is."""

    WAITING = auto()
    LIVE = auto()
    CLOSING = auto()
    DRAINING = auto()
    ENDED = auto()


class CallMachine:
    """Decides everything about one call; knows no clock, no network and no vendor."""

    def __init__(
        self,
        config: AgentConfig,
        *,
        now: float,
        history: Sequence[Message] = (),
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self.phase = Phase.WAITING
        self._config = config
        self._hearing = Hearing()
        self._speaking = Speaking(config, history=history, metadata=metadata or {})
        self._has_asked_again = False
        self._phase_ends = now + MEDIA_WAIT_S
        self._usage_due = now + USAGE_EVERY_S
        self._end = (CallStatus.COMPLETED, "completed")

    @property
    def history(self) -> list[Message]:
        """What both sides have said so far."""
        return self._speaking.history

    def handle(self, event: p.Event, now: float) -> list[p.Command]:
        """What to do about one event."""
        if self.phase is Phase.ENDED:
            return []
        commands = self._on_event(event, now)
        if self._is_connected:
            commands += self._play(now)
        return [*commands, *self._on_time(now)]

    def deadline(self, now: float) -> float | None:
        """When to send `Tick` if nothing else happens first; None: never."""
        if self.phase is Phase.ENDED:
            return None
        times = [self._phase_ends]
        if self._is_connected:
            times += [self._usage_due, self._speaking.deadline(now) or self._usage_due]
        return min(times)

    def _on_event(self, event: p.Event, now: float) -> list[p.Command]:
        match event:
            case p.Answered():
                return self._answer(event, now)
            case p.HungUp():
                return self._hang_up(CallStatus.FAILED, event.reason, now)
            case p.EndRequested():
                return self._hang_up(CallStatus.CANCELED, event.reason, now)
            case p.CreditsExhausted():
                return self._close(prompt.NO_CREDITS, CallStatus.COMPLETED, "credits_exhausted", now)
            case p.FrameHeard():
                return self._listen(self._hearing.window(event.probability, now), now) if self._is_listening else []
            case p.Transcribed():
                return self._listen(self._hearing.transcribed(event, now), now)
            case p.TranscribeFailed():
                return self._listen(self._hearing.failed(event), now)
            case p.VoiceFailed():
                return [p.ReportError("TTS_ERROR", "The voice failed; the local voice speaks")]
            case p.Tick():
                return []
            case _:
                self._tell_speaking(event, now)
                return []

    def _tell_speaking(
        self,
        event: p.ReplyPiece | p.ReplyDone | p.ReplyFailed | p.SpeechPiece | p.SpeechDone | p.PlaybackMark,
        now: float,
    ) -> None:
        match event:
            case p.ReplyPiece():
                self._speaking.add_text(event.turn, event.text, now)
            case p.ReplyDone():
                self._speaking.end_text(event.turn, has_failed=False)
            case p.ReplyFailed():
                self._speaking.end_text(event.turn, has_failed=True)
            case p.SpeechPiece():
                self._speaking.add_audio(event.turn, event.clause, event.pcm, now)
            case p.SpeechDone():
                self._speaking.end_audio(event.turn, event.clause)
            case p.PlaybackMark():
                self._speaking.mark_played(event.name, now)
            case _:
                assert_never(event)

    @property
    def _is_listening(self) -> bool:
        return self.phase is Phase.LIVE

    @property
    def _is_connected(self) -> bool:
        """The line is up: there is something to play and to charge for."""
        return self.phase in (Phase.LIVE, Phase.CLOSING)

    def _answer(self, event: p.Answered, now: float) -> list[p.Command]:
        if self.phase is not Phase.WAITING:
            return []
        self._enter(Phase.LIVE, now + self._config.session_timeout)
        self._usage_due = now + USAGE_EVERY_S
        self._speaking.open(Playout(rate_hz=event.rate_hz, chunk_bytes=event.chunk_bytes), answered_at=now)
        greeting = self._config.first_message
        greets = bool(greeting) and not self.history
        return [p.Connect(), *(self._speaking.say(greeting, now) if greets else [])]

    # --- hearing --------------------------------------------------------------------------------------
    def _listen(self, outputs: Sequence[Output], now: float) -> list[p.Command]:
        commands: list[p.Command] = []
        for output in outputs:
            commands += self._on_heard(output, now)
        if self.phase is Phase.DRAINING and not self._hearing.is_expecting:
            commands += self._finish(*self._end)
        return commands

    def _on_heard(self, output: Output, now: float) -> list[p.Command]:
        is_live = self._is_listening
        match output:
            case p.OpenUtterance() | p.CloseUtterance() | p.Transcribe():
                return [output]
            case SpeechSustained():
                return self._speaking.hold(now) if is_live else []
            case Overheard():
                return self._speaking.draft(output.text, now) if is_live else []
            case SpeechResumed():
                return self._speaking.drop_draft()
            case Said():
                if output.text:
                    self._has_asked_again = False
                    return self._speaking.answer(output, now) if is_live else self._speaking.keep_words(output)
                return self._on_no_words(output, now) if is_live else []
            case Unclear():
                report = p.ReportError("STT_ERROR", "Speech recognition failed")
                return [report, *(self._ask_again(output.speech_end, now, is_fault=True) if is_live else [])]
            case _:
                assert_never(output)

    def _on_no_words(self, said: Said, now: float) -> list[p.Command]:
        """Noise: go on with what was interrupted, or ask if it was long enough to have been words."""
        commands = self._speaking.drop_draft()
        self._speaking.resume()
        if self._speaking.is_busy or said.speech_s < ASK_AGAIN_SPEECH_S or self._has_asked_again:
            return commands
        return [*commands, *self._ask_again(said.speech_end, now, is_fault=False)]

    def _ask_again(self, speech_end: float, now: float, *, is_fault: bool) -> list[p.Command]:
        self._has_asked_again = True
        self._speaking.failures += is_fault
        return [*self._speaking.drop_draft(), *self._speaking.say(prompt.NOT_UNDERSTOOD, now, speech_end=speech_end)]

    # --- speaking -------------------------------------------------------------------------------------
    def _play(self, now: float) -> list[p.Command]:
        commands = self._speaking.apologise(now)
        if self._speaking.failures >= MAX_FAILURES:
            commands += self._close(prompt.GIVING_UP, CallStatus.FAILED, "vendor_failure", now)
        commands += self._speaking.play(now)
        return [*commands, *self._finish(*self._end)] if self._speaking.has_said_last else commands

    # --- time and ends --------------------------------------------------------------------------------
    def _on_time(self, now: float) -> list[p.Command]:
        commands: list[p.Command] = []
        if self._is_connected and now >= self._usage_due:
            self._usage_due = now + USAGE_EVERY_S
            commands.append(p.SaveUsage())
        if self.phase is Phase.ENDED or now < self._phase_ends:
            return commands
        if self.phase is Phase.LIVE:
            closing = self._close(prompt.TIME_IS_UP, CallStatus.COMPLETED, "session_timeout", now)
            return [*commands, *closing, *self._speaking.play(now)]
        if self.phase is Phase.WAITING:
            return self._finish(CallStatus.FAILED, "no_media")
        return [*commands, *self._speaking.cut(now), *self._finish(*self._end)]

    def _close(self, sentence: str, status: CallStatus, reason: str, now: float) -> list[p.Command]:
        """Say a last sentence, then end."""
        if self.phase is not Phase.LIVE:
            return []
        commands = self._speaking.drop_draft()
        self._hearing.forget()
        self._enter(Phase.CLOSING, now + CLOSING_S)
        self._end = (status, reason)
        return [*commands, *self._speaking.say(sentence, now, is_last=True)]

    def _hang_up(self, if_unanswered: CallStatus, reason: str, now: float) -> list[p.Command]:
        """Somebody has put the phone down: keep what was heard, and give the caller's last words a moment."""
        if self.phase is Phase.DRAINING:
            return []
        if self.phase is Phase.WAITING:
            return self._finish(if_unanswered, reason)
        commands = [*self._speaking.drop_draft(), *self._speaking.cut(now)]
        if self.phase is Phase.CLOSING:
            return [*commands, *self._finish(*self._end)]
        self._end = (CallStatus.COMPLETED, reason)
        self._enter(Phase.DRAINING, now + DRAINING_S)
        return [*commands, *self._listen(self._hearing.last_words(now), now)]

    def _enter(self, phase: Phase, ends: float) -> None:
        self.phase, self._phase_ends = phase, ends

    def _finish(self, status: CallStatus, reason: str) -> list[p.Command]:
        self.phase = Phase.ENDED
        return [p.Finish(status, reason)]
