"""A conversation whose actor may die: another machine goes on with what the store and the edge have kept of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from actors.call_session import protocol as p
from actors.call_session.commands import SaveProgress
from actors.call_session.listener import CLOCKS_S
from actors.call_session.machine import CallMachine
from actors.call_session.resuming import resumption
from actors.call_session.settling import KEEP_S
from actors.call_session.turn import WINDOW_S
from models.call import Call, CallStatus, Lease, Progress, Turn
from models.conversation import AnsweredBy, TurnTaking
from models.document import new_id
from models.tool import HttpTool, Tools
from providers.roles import ToolCall
from tests.call_session.conversation import Conversation
from tests.documents import a_call

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
GAP_S = 0.4
"""From the death of an actor until the next one has the call."""

GREETING = "Hello there. How can I help you on this fine day?"
ANSWER = "Your visit is on Tuesday at nine. It takes an hour and a half. Bring your papers with you."
LOOK_UP = ToolCall("c1", "look_up", "{}")
TOOLS = Tools(
    functions=(HttpTool(name="look_up", description="Does it.", url="https://example.com", filler="Let me look."),),
    built_in=("end_call", "transfer_call"),
    transfer_to="+15550001111",
)
SOON_S = 3.0


def wall(now: float) -> datetime:
    return EPOCH + timedelta(seconds=now)


class FragileCall(Conversation):
    """Plays the store and the edge as well; the voice answers at once."""

    def __init__(self, *, is_outbound: bool = False, **more: object) -> None:
        super().__init__(has_voice=True, is_outbound=is_outbound, **more)  # type: ignore[arg-type]
        self._is_outbound = is_outbound
        self.started_at: datetime | None = None
        self.turns: list[Turn] = []
        self.progress: Progress | None = None
        self.answered_by: AnsweredBy | None = None
        self.died_at = 0.0
        self._windows: list[tuple[float, float]] = []
        """What the edge keeps: when a window came, and its probability."""
        self.config = self.machine._config

    def hear(self, probability: float, seconds: float, *, hush_s: float = 0.0) -> list[p.Command]:
        commands = []
        for _ in range(round(seconds / WINDOW_S)):
            commands += super().hear(probability, WINDOW_S, hush_s=hush_s)
            self._windows.append((self.now, probability))
            if not self.machine.needs_sound:
                self._windows = [window for window in self._windows if window[0] > self.now - KEEP_S]
        return commands

    def crash(self, *, meanwhile: float = 0.01, gap_s: float = GAP_S) -> list[p.Command]:
        """The actor dies and another takes the call; `meanwhile`: the probability of what the caller does then."""
        self.die(meanwhile=meanwhile, gap_s=gap_s)
        return self.come_back()

    def die(self, *, meanwhile: float = 0.01, gap_s: float = GAP_S) -> None:
        """From here until `come_back` the call has no actor; the next one is made and has not heard anything."""
        self.died_at = self.now
        for _ in range(round(gap_s / WINDOW_S)):
            self.now += WINDOW_S
            self._windows.append((self.now, meanwhile))
        self._marks.clear()
        again = resumption(self.stored(), wall(self.now), was_carried=True)
        self._settled_ago_s = again.settled_ago_s if again is not None else float("inf")
        self.machine = CallMachine(
            self.config, now=self.now, is_outbound=self._is_outbound, resumption=again, marks="next."
        )

    def come_back(self) -> list[p.Command]:
        """The edge repeats the opening message and the sound it has kept."""
        commands = self.answer()
        for heard_at, probability in list(self._windows):
            age_s = self.now - heard_at
            is_settled = age_s > self._settled_ago_s - CLOCKS_S
            commands += self.send(p.FrameHeard(0.0 if is_settled else probability, age_s=age_s))
        return commands

    def stored(self) -> Call:
        """The call as a new actor finds it."""
        return a_call(
            new_id(),
            agent_config=self.config,
            status=CallStatus.IN_PROGRESS,
            started_at=self.started_at,
            turns=self.turns,
            progress=self.progress,
            answered_by=self.answered_by,
            lease=Lease(actor="next", leased_at=wall(self.now)),
        )

    def log(self) -> list[tuple[str, str]]:
        """Who said what, whole or not, by all actors."""
        return [(turn.role, turn.content) for turn in self.turns]

    def waited_s(self) -> float:
        """From the crash until the caller heard the agent again."""
        return min(sound.start for sound in self.sounds if sound.level and sound.start > self.died_at + GAP_S) - (
            self.died_at
        )

    def orders_since(self, commands: Sequence[p.Command]) -> str:
        """All the voice was asked for in these commands."""
        return " ".join(command.text for command in commands if isinstance(command, p.Synthesize))

    def _carrier(self, command: p.Command) -> None:
        super()._carrier(command)
        match command:
            case p.Connect():
                self.started_at = self.started_at or wall(self.now)
            case p.SaveAnsweredBy():
                self.answered_by = command.answered_by
            case p.SaveTurn():
                self.turns.append(self._turn(command))
                self.progress = self.progress if command.role == "user" else None
            case SaveProgress():
                self.progress = Progress(
                    text=command.text,
                    clause=command.clause,
                    clause_at=wall(self.now + command.starts_in_s),
                    clause_ms=round(command.clause_s * 1000),
                    functions=command.functions,
                )
            case _:
                pass

    def _turn(self, saved: p.SaveTurn) -> Turn:
        return Turn(
            index=len(self.turns),
            role="user" if saved.role == "user" else "assistant",
            content=saved.text,
            timestamp=wall(self.now),
            interrupted=saved.interrupted,
            timings=saved.timings,
            functions=saved.functions,
        )


def begun(**more: Any) -> FragileCall:
    """A call in which both have spoken once."""
    call = FragileCall(first_message="Hello.", tools=TOOLS, **more)
    call.answer()
    call.be_quiet(2.0)
    return call


def asked(**more: Any) -> FragileCall:
    """The caller's turn is over and in the log; the agent thinks."""
    call = begun(turn_taking=TurnTaking(acknowledge_after_ms=0), **more)
    call.say("book a visit")
    call.be_quiet(1.0)
    assert call.log() == [("assistant", "Hello."), ("user", "book a visit")]
    return call


def user_turns(call: FragileCall) -> list[str]:
    return [text for role, text in call.log() if role == "user"]
