"""What a caller can do, step by step: data that a `Caller` acts out. Durations are seconds, levels dBFS."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from simulators.mouth import Line


@dataclass(frozen=True, slots=True)
class WaitForAgent:
    """Until the agent has spoken since the caller last did, and has been silent for `quiet_s`."""

    quiet_s: float = 0.8
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Say:
    """Speak now."""

    text: str


@dataclass(frozen=True, slots=True)
class SayWithPauses:
    """One turn in several pieces, as people speak who think meanwhile: silence of `pauses_s[i]` follows piece i."""

    pieces: tuple[str, ...]
    pauses_s: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.pauses_s) != len(self.pieces) - 1:
            raise ValueError("there is one pause between each two pieces")

    @property
    def text(self) -> str:
        """The whole turn."""
        return " ".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Speak `after_s` after the agent has begun to."""

    text: str
    after_s: float = 0.6
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Murmur:
    """Say what listeners say, `after_s` after the agent has begun to speak, without wanting an answer."""

    text: str
    after_s: float = 0.6
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Cough:
    """A sound that is no word, `after_s` after the agent has begun to speak; at once when 0.

    It is breath alone, or hacking with voice in it, which a voice-activity detector takes for speech.
    """

    after_s: float = 0.0
    timeout_s: float = 15.0
    seconds: float = 0.4
    is_hacking: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """Let the line carry one of `noises.SOUNDS` for a while; the level is that of its loud parts."""

    sound: str
    seconds: float
    dbfs: float = -25.0


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, a fifth of a second apart."""

    digits: str


@dataclass(frozen=True, slots=True)
class StaySilent:
    """Say nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Do:
    """Something that happens beside the call, such as a vendor's failing: now, or `after_s` later during other steps.

    What has not happened when the call ends never does.
    """

    action: Callable[[], None]
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call. The end of the script does the same."""


Step = (
    WaitForAgent | Say | SayWithPauses | Interrupt | Murmur | Cough | Play | Press | StaySilent | Do | HangUp
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Script:
    """Who calls, and what they do. Later than `lasts_s` into the call they only hear the agent out."""

    steps: tuple[Step, ...]
    voice: str = "en-us+m3"
    words_per_min: int = 160
    line: Line = field(default_factory=Line)
    seed: int = 0
    lasts_s: float = inf

    @property
    def texts(self) -> tuple[str, ...]:
        """Every piece of speech in it."""
        return tuple(text for step in self.steps for text in _texts(step))


def _texts(step: Step) -> tuple[str, ...]:
    match step:
        case Say(text) | Interrupt(text) | Murmur(text):
            return (text,)
        case SayWithPauses(pieces):
            return pieces
        case _:
            return ()
