"""When the caller starts, pauses and stops speaking: endpointing over 32 ms windows of voice activity. Pure.

QUIET --2 or 3 loud--> SPEAKING --3 to 5 quiet--> PAUSED --`end_s` of silence--> QUIET
                          ^--------2 loud---------'

The pause is worth a recognition; what it says decides how much silence ends the turn (`end_s`, set by the listener).
"""

from dataclasses import dataclass
from enum import Enum, auto

WINDOW_S = 0.032
HUSH_S = 0.02
"""So much quiet, by level alone, is worth a look. Often it is a gap inside a word: only what reads complete is made
anything of."""


class Signal(Enum):
    """What a window changed."""

    STARTED = auto()
    """Speech began, three windows ago."""
    SPOKEN = auto()
    """One more window of speech."""
    HUSHED = auto()
    """The line went quiet; whether that is a pause is not certain yet."""
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
    wary_windows: int = 2
    """While the agent speaks: it only turns quieter, which is soon undone if it was a click."""
    resume_windows: int = 2
    longest_windows: int = 375


class TurnTaking:
    """Follows one caller. `pause_windows`, `end_s` and `is_wary` may be changed at any time; they count from the next
    window.
    """

    def __init__(self, endpointing: Endpointing | None = None) -> None:
        self._rules = endpointing or Endpointing()
        self.phase = Phase.QUIET
        self.pause_windows = 3
        self.end_s = 0.55
        self.is_wary = False
        self.pause_s = 0.0
        """The silence of the current or last pause."""
        self._loud_run = 0
        self._quiet_run = 0
        self._hush_s = 0.0
        self._voiced = 0
        self._length = 0
        self._starts_over = False
        self.is_hushed = False
        """Speaking, as far as the VAD knows, but the line is quiet."""

    @property
    def silence_s(self) -> float:
        """How long the caller has been quiet: the VAD notices late what the level shows at once, within limits."""
        quiet_s = self._quiet_run * WINDOW_S
        return min(max(quiet_s, self._hush_s), quiet_s + 3 * WINDOW_S)

    @property
    def speech_s(self) -> float:
        """Speech in the current or last utterance, without its pauses."""
        return self._voiced * WINDOW_S

    @property
    def sound_s(self) -> float:
        """The current or last utterance so far, pauses included."""
        return self._length * WINDOW_S

    def hear(self, probability: float, hush_s: float = 0.0) -> list[Signal]:
        """One more window; what it changed, oldest first."""
        loud = probability >= (self._rules.still_loud if self.phase is Phase.SPEAKING else self._rules.loud)
        self._loud_run = self._loud_run + 1 if loud else 0
        self._quiet_run = 0 if loud else self._quiet_run + 1
        self._hush_s = hush_s
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

    def settle(self) -> list[Signal]:
        """After `end_s` was changed: ENDED if the silence is long enough already."""
        is_over = self.phase is Phase.PAUSED and self._loud_run == 0 and self.silence_s >= self.end_s - WINDOW_S / 2
        if not is_over:
            return []
        self.phase = Phase.QUIET
        return [Signal.ENDED]

    def _while_quiet(self) -> list[Signal]:
        if self._loud_run < (self._rules.wary_windows if self.is_wary else self._rules.start_windows):
            return []
        self.phase = Phase.SPEAKING
        self._voiced = self._length = self._loud_run
        self.is_hushed = False
        return [Signal.STARTED]

    def _while_speaking(self, *, loud: bool) -> list[Signal]:
        if self._quiet_run >= self.pause_windows:
            self.phase = Phase.PAUSED
            self.pause_s = self.silence_s
            return [Signal.PAUSED, *self.settle()]
        signals = []
        if loud:
            self._voiced += 1
            signals.append(Signal.SPOKEN)
        was_hushed, self.is_hushed = self.is_hushed, self._hush_s >= HUSH_S
        if self.is_hushed and not was_hushed:
            signals.append(Signal.HUSHED)
        if self._length >= self._rules.longest_windows:
            self._starts_over = True
            signals.append(Signal.OVERLONG)
        return signals

    def _while_paused(self) -> list[Signal]:
        self.pause_s = max(self.pause_s, self.silence_s)
        if self._loud_run >= self._rules.resume_windows:
            self.phase = Phase.SPEAKING
            self._voiced += self._loud_run
            self.is_hushed = False
            return [Signal.RESUMED]
        # A blip shorter than `resume_windows` restarts the count of quiet windows, so the end comes a little later.
        return self.settle()
