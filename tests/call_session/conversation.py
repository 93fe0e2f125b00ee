"""A call without a network: plays carrier, recogniser, model and voice for the machine on a virtual clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from actors.call_session import protocol as p
from actors.call_session.machine import CallMachine
from actors.call_session.turn import WINDOW_S
from models.agent import AgentConfig, Llm, Voice
from models.conversation import Silence
from providers.roles import Message, ToolCall

T = TypeVar("T")

RATE_HZ = 8000
CHUNK_BYTES = 3200
PCM_BYTES_PER_WORD = 3200
"""Every word the fake voice says lasts 200 ms: one chunk."""
LEVEL = 8000
"""The fake voice's sample value."""
DUCKED_LEVEL = 2009
"""12 dB below it."""


@dataclass(slots=True)
class Sound:
    """What the carrier plays: `level` is its first sample, from `start` to `end` on the virtual clock."""

    start: float
    end: float
    level: int


def agent_config(*, first_message: str = "", session_timeout: int = 300, **more: object) -> AgentConfig:
    """Patient with silence unless `more` says otherwise: most tests wait a lot."""
    agent = AgentConfig(
        prompt="You book appointments.",
        voice=Voice(provider="espeak", voice_id="en-us"),
        language="en",
        llm=Llm(model="gpt-4"),
        first_message=first_message,
        session_timeout=session_timeout,
        silence=Silence(reprompt_after_s=120),
    )
    return agent.model_copy(update=more)


class Conversation:
    """Feeds events and keeps every command. Marks are echoed when their audio has sounded.

    With `has_voice` every clause is voiced at once; without, `voice` does it.
    """

    def __init__(
        self,
        *,
        first_message: str = "",
        session_timeout: int = 300,
        echo_marks: bool = True,
        is_outbound: bool = False,
        has_voice: bool = False,
        **more: object,
    ) -> None:
        self.now = 100.0
        config = agent_config(first_message=first_message, session_timeout=session_timeout, **more)
        self.machine = CallMachine(config, now=self.now, is_outbound=is_outbound)
        self.commands: list[p.Command] = []
        self.sounds: list[Sound] = []
        """What the caller has heard and will hear, in order."""
        self._echo_marks = echo_marks
        self._has_voice = has_voice
        self._marks: list[tuple[float, str]] = []
        self._sounding_until = 0.0

    def send(self, event: p.Event) -> list[p.Command]:
        commands = self.machine.handle(event, self.now)
        self.commands += commands
        for command in commands:
            self._carrier(command)
        if not self._has_voice:
            return commands
        return [*commands, *(self.voice(commands) if any(isinstance(c, p.Synthesize) for c in commands) else [])]

    def answer(self) -> list[p.Command]:
        return self.send(p.Answered(RATE_HZ, CHUNK_BYTES))

    def hear(self, probability: float, seconds: float, *, hush_s: float = 0.0) -> list[p.Command]:
        """Caller audio; time passes."""
        commands = []
        for _ in range(round(seconds / WINDOW_S)):
            commands += self.wait(WINDOW_S)
            commands += self.send(p.FrameHeard(probability, hush_s))
        return commands

    def quiet_until(self, kind: type[p.Command], limit_s: float = 5.0) -> float:
        """Feed silence until a command of the kind comes; how many seconds of it that took."""
        for count in range(1, round(limit_s / WINDOW_S)):
            if any(isinstance(command, kind) for command in self.be_quiet(WINDOW_S)):
                return count * WINDOW_S
        raise AssertionError(f"no {kind.__name__} in {limit_s} s")

    def speak(self, seconds: float = 1.0) -> list[p.Command]:
        return self.hear(0.9, seconds)

    def be_quiet(self, seconds: float) -> list[p.Command]:
        return self.hear(0.01, seconds)

    def hear_caller(self, text: str, seconds: float = 1.0, *, pause_s: float = 0.12) -> list[p.Command]:
        """Speech and the pause at which it is recognised; the turn is not over yet."""
        return [*self.speak(seconds), *self.be_quiet(pause_s), *self.recognise(text)]

    def ask(self, text: str, answer: str) -> None:
        """A caller turn and the reply to it, which is voiced and begins to sound."""
        self.say(text)
        self.voice(self.reply(answer))

    def say(self, text: str) -> list[p.Command]:
        """One whole caller turn, recognised at its pause."""
        commands = [*self.speak(), *self.be_quiet(0.2)]
        commands += self.recognise(text)
        return [*commands, *self.be_quiet(0.9)]

    def recognise(self, text: str, *, rejected: str | None = None, backlog_ms: float = 0.0) -> list[p.Command]:
        """The newest recognition is answered."""
        asked = self.last(p.Transcribe)
        answer = p.Transcribed(asked.utterance, asked.revision, text, rejected=rejected, backlog_ms=backlog_ms)
        return self.send(answer)

    def reply(self, text: str) -> list[p.Command]:
        """The model answers the newest question at once."""
        turn = self.last(p.StartReply).turn
        return [*self.send(p.ReplyPiece(turn, text)), *self.send(p.ReplyDone(turn))]

    def voice(self, commands: Iterable[p.Command] | None = None) -> list[p.Command]:
        """The voice delivers every clause asked for in these commands (or in the whole call, once each)."""
        out = []
        for order in [c for c in (commands or self.commands) if isinstance(c, p.Synthesize)]:
            pcm = LEVEL.to_bytes(2, "little") * (PCM_BYTES_PER_WORD // 2 * len(order.text.split()))
            out += self.send(p.SpeechPiece(order.turn, order.clause, pcm))
            out += self.send(p.SpeechDone(order.turn, order.clause))
        return out

    def ask_for(self, *calls: ToolCall, text: str = "") -> list[p.Command]:
        """The model writes `text` and wants functions called."""
        turn = self.last(p.StartReply).turn
        commands = self.send(p.ReplyPiece(turn, text)) if text else []
        return [*commands, *self.send(p.ToolsAsked(turn, calls)), *self.send(p.ReplyDone(turn))]

    def wait(self, seconds: float) -> list[p.Command]:
        """Time passes: marks come back, deadlines fire."""
        commands, end = [], self.now + seconds
        while True:
            deadline = self.machine.deadline(self.now)
            mark = self._marks[0][0] if self._marks else None
            times = [time for time in (deadline, mark) if time is not None and time <= end]
            if not times:
                break
            self.now = max(self.now, min(times))
            if mark is not None and mark <= self.now:
                commands += self.send(p.PlaybackMark(self._marks.pop(0)[1]))
            else:
                commands += self.send(p.Tick())
        self.now = end
        return commands

    def last(self, kind: type[T]) -> T:
        return self.all(kind)[-1]

    def all(self, kind: type[T]) -> list[T]:
        return [command for command in self.commands if isinstance(command, kind)]

    def saved(self) -> list[tuple[str, str]]:
        return [(turn.role, turn.text) for turn in self.all(p.SaveTurn)]

    def orders(self) -> list[str]:
        """Every clause the voice was asked for."""
        return [order.text for order in self.all(p.Synthesize)]

    def level(self, at: float | None = None) -> int:
        """How loud the agent is in the caller's ear, now or at a time; 0: silent."""
        at = self.now if at is None else at
        return next((sound.level for sound in self.sounds if sound.start <= at < sound.end), 0)

    def heard_s(self) -> float:
        """How many seconds of the agent have sounded or will."""
        return sum(sound.end - sound.start for sound in self.sounds if sound.level)

    def _carrier(self, command: p.Command) -> None:
        match command:
            case p.SendAudio():
                start = max(self.now, self._sounding_until)
                self._sounding_until = start + len(command.pcm) / (2 * RATE_HZ)
                self.sounds.append(Sound(start, self._sounding_until, int.from_bytes(command.pcm[:2], "little")))
            case p.SendMark() if self._echo_marks:
                self._marks.append((self._sounding_until, command.name))
            case p.ClearPlayback():
                self._marks.clear()
                self._sounding_until = self.now
                self.sounds = [sound for sound in self.sounds if sound.start < self.now]
                for sound in self.sounds:
                    sound.end = min(sound.end, self.now)


def assert_valid_chat(messages: tuple[Message, ...]) -> None:
    """Every function call is followed by its answers and nothing else in between, as chat APIs require."""
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            assert message.tool_call_id in waiting
            waiting.remove(message.tool_call_id)
        else:
            assert waiting == []
            waiting = [call.id for call in message.tool_calls]
            assert not (waiting and message.role != "assistant")
    assert waiting == []
    assert messages[-1].role in ("user", "tool")
