"""One call as a state machine: `handle(event, now)` gives commands, `deadline(now)` says when to call again. Pure.

WAITING for the carrier's media -> LIVE -> (CLOSING: the last sentence is being said) -> DRAINING: nobody speaks any
more, the caller's last words are being recognised -> ENDED. Nothing is played or saved after ENDED. An answer to
something nobody waits for any more is dropped in `Speaking.reply_of` and `Hearing._find`, by its turn or revision.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from actors.call_session import prompt, protocol as p
from actors.call_session.events import LogStuck
from actors.call_session.exchange import Exchange
from actors.call_session.heard import Said
from actors.call_session.hearing import Output
from actors.call_session.pickup import Next, Pickup
from actors.call_session.playout import Playout
from actors.call_session.resuming import Resumption, What
from actors.call_session.returning import Return
from models.agent import AgentConfig
from models.call import CallStatus
from models.conversation import AnsweredBy
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
EDGE_LOST = "edge_lost"
"""The reason of a `HungUp` by which nobody has put the phone down: our own side of the line died."""


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
        is_outbound: bool = False,
        metadata: Mapping[str, object] | None = None,
        resumption: Resumption | None = None,
        marks: str = "",
    ) -> None:
        """`resumption`: the call was carried before. `marks`: what its playback marks begin with."""
        self.phase = Phase.WAITING
        self._config = config
        self._resumption = resumption
        self._answered_at = None if resumption is None else now - resumption.answered_ago_s
        self._marks = marks
        self._exchange = Exchange(config, metadata=metadata or {}, resumption=resumption)
        self._hearing, self._speaking = self._exchange.hearing, self._exchange.speaking
        begins = resumption is None or resumption.owed.what is What.BEGIN
        self._pickup = Pickup(config.voicemail, is_outbound=is_outbound and begins)
        self._return = Return(resumption)
        self._wants_to_greet = False
        self._phase_ends = now + MEDIA_WAIT_S
        self._usage_due = now + USAGE_EVERY_S
        self._end = (CallStatus.COMPLETED, "completed")

    @property
    def history(self) -> list[Message]:
        """What both sides have said so far."""
        return self._speaking.history

    @property
    def needs_sound(self) -> bool:
        """What the caller was heard to say so far is not in the log yet, or not over."""
        return self.phase is Phase.WAITING or self._exchange.needs_sound

    def handle(self, event: p.Event, now: float) -> list[p.Command]:
        """What to do about one event."""
        if self.phase is Phase.ENDED:
            return []
        self._return.tick(now)
        commands = self._on_event(event, now)
        if self._is_connected:
            commands += self._play(now)
        return [*commands, *self._on_time(now)]

    def deadline(self, now: float) -> float | None:
        """When to send `Tick` if nothing else happens first; None: never."""
        if self.phase is Phase.ENDED:
            return None
        times: list[float | None] = [self._phase_ends]
        if self._is_connected:
            times += [self._usage_due, self._speaking.deadline(now)]
        if self._is_listening:
            times += [
                self._return.deadline(),
                self._pickup.deadline(),
                None if self._withholds else self._exchange.deadline(now),
            ]
        return min(time for time in times if time is not None)

    def _on_event(self, event: p.Event, now: float) -> list[p.Command]:
        match event:
            case p.Answered():
                return self._answer(event, now)
            case p.HungUp():
                carried = CallStatus.FAILED if event.reason == EDGE_LOST else CallStatus.COMPLETED
                return self._hang_up(CallStatus.FAILED, carried, event.reason, now)
            case p.EndRequested():
                return self._hang_up(CallStatus.CANCELED, CallStatus.COMPLETED, event.reason, now)
            case p.CreditsExhausted():
                return self._close(prompt.NO_CREDITS, CallStatus.COMPLETED, "credits_exhausted", now)
            case LogStuck():
                return self._close(prompt.LOG_STUCK, CallStatus.FAILED, "log_unavailable", now)
            case p.FrameHeard() if self._is_connected:
                outputs = self._hearing.window(event, now, is_agent_audible=self._speaking.is_audible(now))
                self._pickup.window(self._hearing.is_loud, now - event.age_s)
                self._return.heard(event.age_s)
                return self._listen(outputs, now)
            case p.Transcribed():
                return self._listen(self._hearing.transcribed(event, now), now)
            case p.TranscribeFailed():
                return self._listen(self._hearing.failed(event, now), now)
            case p.KeyPressed() if self._is_listening:
                return self._exchange.key(event.digit, now)
            case p.ToneHeard():
                self._pickup.tone(now)
                return []
            case p.VoiceFailed():
                return [p.ReportError("TTS_ERROR", "The voice failed; the local voice speaks")]
            case _:
                return self._speaking.take(event, now)

    @property
    def _is_listening(self) -> bool:
        return self.phase is Phase.LIVE

    @property
    def _withholds(self) -> bool:
        """The agent does not speak before it knows to whom, what they said before, and that they have finished."""
        return self._pickup.withholds or self._wants_to_greet or self._return.is_catching_up

    @property
    def _is_connected(self) -> bool:
        """The line is up: there is something to play and to charge for."""
        return self.phase in (Phase.LIVE, Phase.CLOSING)

    def _answer(self, event: p.Answered, now: float) -> list[p.Command]:
        if self.phase is not Phase.WAITING:
            return []
        answered_at = now if self._answered_at is None else self._answered_at
        self._enter(Phase.LIVE, answered_at + self._config.session_timeout)
        self._usage_due = now + USAGE_EVERY_S
        self._exchange.open(now)
        playout = Playout(rate_hz=event.rate_hz, chunk_bytes=event.chunk_bytes, marks=self._marks)
        self._speaking.open(playout, answered_at=answered_at)
        if self._resumption is not None:
            return self._come_back(self._resumption, now)
        self._begin(now)
        return [p.Connect()]

    def _begin(self, now: float, answered_by: AnsweredBy | None = None) -> None:
        self._pickup.answered(now, answered_by)
        self._wants_to_greet = not self._pickup.withholds

    def _come_back(self, resumption: Resumption, now: float) -> list[p.Command]:
        """The carrier may still play what the dead actor sent, which nobody would know to have been heard."""
        commands: list[p.Command] = [p.ClearPlayback(), *resumption.saves]
        owed = resumption.owed
        if owed.what is What.BEGIN:
            commands.append(p.Connect())
            self._begin(now, resumption.answered_by)
        if owed.ending is None:
            self._return.opened(now)
            return commands
        if owed.ending.transfer_to is not None:
            commands.append(p.SaveTransfer(owed.ending.transfer_to))
        if not owed.sentence:
            return [*commands, *self._drain(owed.ending.status, owed.ending.reason, now)]
        return [*commands, *self._close(owed.sentence, owed.ending.status, owed.ending.reason, now)]

    def _greet(self, now: float) -> list[p.Command]:
        if not self._wants_to_greet or self._return.is_catching_up or self._hearing.is_loud:
            return []
        self._wants_to_greet = False
        return self._exchange.greet(self._config.first_message, now)

    # --- hearing --------------------------------------------------------------------------------------
    def _listen(self, outputs: Sequence[Output], now: float) -> list[p.Command]:
        commands: list[p.Command] = []
        for output in outputs:
            if isinstance(output, p.TellPartial | Said):
                self._pickup.words(output.text, now)
            commands += self._heed(output, now)
        if self.phase is Phase.DRAINING and not self._hearing.is_expecting:
            commands += self._finish(*self._end)
        return commands

    def _heed(self, output: Output, now: float) -> list[p.Command]:
        if self._is_listening and not self._withholds:
            return self._exchange.heard([output], now)
        return self._exchange.only_keep(output, is_answered=self._is_listening)

    def _meet(self, now: float) -> list[p.Command]:
        """Who picked up, as soon as it is known."""
        verdict, following = self._pickup.decide(now)
        commands: list[p.Command] = [p.SaveAnsweredBy(verdict)] if verdict is not None else []
        match following:
            case Next.GREET:
                self._wants_to_greet = True
            case Next.HANG_UP:
                commands += [*self._speaking.cut(now), *self._drain(CallStatus.COMPLETED, "answered_by_machine", now)]
            case Next.LEAVE_MESSAGE:
                message = self._config.voicemail.message or self._config.first_message
                commands += self._close(message, CallStatus.COMPLETED, "voicemail_left", now)
        return commands

    # --- speaking -------------------------------------------------------------------------------------
    def _play(self, now: float) -> list[p.Command]:
        commands = [*self._meet(now), *self._greet(now), *self._wait(now)] if self._is_listening else []
        if not self._is_connected:
            return commands
        if not self._hearing.is_loud:  # a caller who speaks gets another answer
            commands += self._speaking.apologise(now)
        if self._speaking.failures >= MAX_FAILURES:
            commands += self._close(prompt.GIVING_UP, CallStatus.FAILED, "vendor_failure", now)
        is_conversation = self._is_listening and not self._withholds
        commands += self._exchange.play(now) if is_conversation else self._speaking.play(now)
        if not self._speaking.has_said_last:
            return commands
        status, reason = self._end
        return [*commands, *self._drain(status, self._speaking.end_reason or reason, now)]

    def _wait(self, now: float) -> list[p.Command]:
        if self._withholds or not self._is_listening:
            return []
        back = [] if self._exchange.has_postponed else self._return.speak(self._hearing, self._speaking, now)
        return [*back, *self._exchange.on_time(now)]

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
            return self._hang_up(CallStatus.FAILED, CallStatus.FAILED, "no_media", now)
        if self.phase is Phase.CLOSING:
            return [*commands, *self._speaking.cut(now), *self._drain(*self._end, now)]
        known = [command for output in self._hearing.give_up(now) for command in self._heed(output, now)]
        return [*commands, *known, *self._finish(*self._end)]

    def _close(self, sentence: str, status: CallStatus, reason: str, now: float) -> list[p.Command]:
        """Say a last sentence, then end."""
        if self.phase is not Phase.LIVE:
            return []
        commands = [*self._speaking.drop_draft(), *self._exchange.rest(now)]
        self._enter(Phase.CLOSING, now + CLOSING_S)
        self._end = (status, reason)
        return [*commands, *self._speaking.say(sentence, now, is_last=True)]

    def _hang_up(self, unanswered: CallStatus, carried: CallStatus, reason: str, now: float) -> list[p.Command]:
        """Somebody has put the phone down: keep what was heard, and give the caller's last words a moment."""
        if self.phase is Phase.DRAINING:
            return []
        if self.phase is Phase.WAITING:
            if self._resumption is None:
                return self._finish(unanswered, reason)
            return [*self._resumption.saves, *self._finish(carried, reason)]
        end = self._end if self.phase is Phase.CLOSING else (carried, reason)
        return [*self._speaking.drop_draft(), *self._speaking.cut(now), *self._drain(*end, now)]

    def _drain(self, status: CallStatus, reason: str, now: float) -> list[p.Command]:
        """Nobody speaks any more; what the caller was saying is still recognised."""
        self._end = (status, reason)
        rest = self._exchange.rest(now)
        self._enter(Phase.DRAINING, now + DRAINING_S)
        return [*rest, *self._listen(self._hearing.last_words(now), now)]

    def _enter(self, phase: Phase, ends: float) -> None:
        self.phase, self._phase_ends = phase, ends

    def _finish(self, status: CallStatus, reason: str) -> list[p.Command]:
        self.phase = Phase.ENDED
        return [p.Finish(status, reason)]
