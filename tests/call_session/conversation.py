"""A call without a network: plays carrier, recogniser, model and voice for the machine on a virtual clock."""

from collections.abc import Iterable
from typing import TypeVar

from actors.call_session import protocol as p
from actors.call_session.machine import CallMachine
from actors.call_session.turn import WINDOW_S
from models.agent import AgentConfig, Llm, Voice
from models.conversation import Silence

T = TypeVar("T")

RATE_HZ = 8000
CHUNK_BYTES = 3200
PCM_BYTES_PER_WORD = 3200
"""Every word the fake voice says lasts 200 ms: one chunk."""


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
    """Feeds events and keeps every command. Marks are echoed when their audio has sounded."""

    def __init__(
        self,
        *,
        first_message: str = "",
        session_timeout: int = 300,
        echo_marks: bool = True,
        is_outbound: bool = False,
        **more: object,
    ) -> None:
        self.now = 100.0
        config = agent_config(first_message=first_message, session_timeout=session_timeout, **more)
        self.machine = CallMachine(config, now=self.now, is_outbound=is_outbound)
        self.commands: list[p.Command] = []
        self._echo_marks = echo_marks
        self._marks: list[tuple[float, str]] = []
        self._sounding_until = 0.0

    def send(self, event: p.Event) -> list[p.Command]:
        commands = self.machine.handle(event, self.now)
        self.commands += commands
        for command in commands:
            self._carrier(command)
        return commands

    def answer(self) -> list[p.Command]:
        return self.send(p.Answered(RATE_HZ, CHUNK_BYTES))

    def hear(self, probability: float, seconds: float) -> list[p.Command]:
        """Caller audio; time passes."""
        commands = []
        for _ in range(round(seconds / WINDOW_S)):
            commands += self.wait(WINDOW_S)
            commands += self.send(p.FrameHeard(probability))
        return commands

    def speak(self, seconds: float = 1.0) -> list[p.Command]:
        return self.hear(0.9, seconds)

    def be_quiet(self, seconds: float) -> list[p.Command]:
        return self.hear(0.01, seconds)

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
            pcm = b"\1\0" * (PCM_BYTES_PER_WORD // 2 * len(order.text.split()))
            out += self.send(p.SpeechPiece(order.turn, order.clause, pcm))
            out += self.send(p.SpeechDone(order.turn, order.clause))
        return out

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

    def _carrier(self, command: p.Command) -> None:
        match command:
            case p.SendAudio():
                self._sounding_until = max(self.now, self._sounding_until) + len(command.pcm) / (2 * RATE_HZ)
            case p.SendMark() if self._echo_marks:
                self._marks.append((self._sounding_until, command.name))
            case p.ClearPlayback():
                self._marks.clear()
                self._sounding_until = self.now
