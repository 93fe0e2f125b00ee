"""When the caller starts, pauses and stops speaking: endpointing over 32 ms windows of voice activity. Pure.

QUIET --3 loud--> SPEAKING --5 quiet--> PAUSED --17 quiet in all--> QUIET
                     ^------2 loud---------'
"""

from dataclasses import dataclass
from enum import Enum, auto

WINDOW_S = 0.032


class Signal(Enum):
    """What a window changed."""

    STARTED = auto()
    """Speech began, three windows ago."""
    SUSTAINED = auto()
    """The speech has gone on long enough to be meant for the agent."""
    PAUSED = auto()
    """A pause: worth recognising what was said so far."""
    RESUMED = auto()
    """Speech again: what was recognised at the pause is not all of it."""
    ENDED = auto()
    """The caller has finished speaking."""
    OVERLONG = auto()
    """The utterance has reached the recogniser's limit; speech goes on in the next one."""


class Phase(Enum):
    """Where the caller is."""

    QUIET = auto()
    SPEAKING = auto()
    PAUSED = auto()


@dataclass(frozen=True, slots=True)
class Endpointing:
    """Thresholds; probabilities from 0 to 1, durations in windows of 32 ms (stt.md's defaults)."""

    loud: float = 0.5
    still_loud: float = 0.35
    start_windows: int = 3
    resume_windows: int = 2
    sustained_windows: int = 8
    pause_windows: int = 5
    end_windows: int = 17
    longest_windows: int = 375


class TurnTaking:
    """Follows one caller."""

    def __init__(self, endpointing: Endpointing | None = None) -> None:
        self._rules = endpointing or Endpointing()
        self.phase = Phase.QUIET
        self._loud_run = 0
        self._quiet_run = 0
        self._voiced = 0
        self._length = 0
        self._starts_over = False

    @property
    def silence_s(self) -> float:
        """How long the caller has been quiet."""
        return self._quiet_run * WINDOW_S

    @property
    def speech_s(self) -> float:
        """Speech in the current or last utterance, without its pauses."""
        return self._voiced * WINDOW_S

    def hear(self, probability: float) -> list[Signal]:
        """One more window; what it changed, oldest first."""
        loud = probability >= (self._rules.still_loud if self.phase is Phase.SPEAKING else self._rules.loud)
        self._loud_run = self._loud_run + 1 if loud else 0
        self._quiet_run = 0 if loud else self._quiet_run + 1
        if self._starts_over:
            self._voiced = self._length = 0
            self._starts_over = False
        self._length += 1
        match self.phase:
            case Phase.QUIET:
                return self._while_quiet()
            case Phase.SPEAKING:
                return self._while_speaking(loud=loud)
            case Phase.PAUSED:
                return self._while_paused()

    def _while_quiet(self) -> list[Signal]:
        if self._loud_run < self._rules.start_windows:
            return []
        self.phase = Phase.SPEAKING
        self._voiced = self._length = self._loud_run
        return [Signal.STARTED]

    def _while_speaking(self, *, loud: bool) -> list[Signal]:
        if self._quiet_run >= self._rules.pause_windows:
            self.phase = Phase.PAUSED
            return [Signal.PAUSED]
        if loud:
            self._voiced += 1
            if self._voiced == self._rules.sustained_windows:
                return [Signal.SUSTAINED]
        if self._length >= self._rules.longest_windows:
            self._starts_over = True
            return [Signal.OVERLONG]
        return []

    def _while_paused(self) -> list[Signal]:
        if self._loud_run >= self._rules.resume_windows:
            self.phase = Phase.SPEAKING
            before, self._voiced = self._voiced, self._voiced + self._loud_run
            sustained = before < self._rules.sustained_windows <= self._voiced
            return [Signal.RESUMED, Signal.SUSTAINED] if sustained else [Signal.RESUMED]
        # A blip shorter than `resume_windows` restarts the count of quiet windows, so the end comes a little later.
        if self._loud_run == 0 and self._quiet_run >= self._rules.end_windows:
            self.phase = Phase.QUIET
            return [Signal.ENDED]
        return []
