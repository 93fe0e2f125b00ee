"""Barge-in: what the agent's voice does about a caller who speaks into it. Pure.

OPEN -----speech--------> DUCKED --words that are meant--> SILENT
                             |  \\--no verdict in time----> SILENT
                             \\--noise or "mhm", a pause--> OPEN

First quieter, which costs little if it was a cough; then words decide. Without words in time the caller's voice alone
does. Silence can be taken back: nothing of the reply is given up before the caller's turn is over and has words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from actors.call_session.backchannel import is_backchannel, is_stop
from models.call import BargeInDecision

HOLD_S = 0.45
"""Speech this long without a verdict on its words is taken for an interruption."""
NOISE_HOLD_S = 1.2
"""Speech this long without words is one all the same: the recogniser may not know the language."""
WORDS_OF_A_LETTER = frozenset("iI")
"""Any other single letter is the beginning of a "mhm", as recognisers take it: no word yet."""
BOUNDARY_S = 1.0
"""In the last second of a reply "okay" and "yes" are answers."""


class Voice(Enum):
    """How loud the agent is."""

    OPEN = auto()
    DUCKED = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class Move:
    """A change of the agent's voice, and why."""

    decision: BargeInDecision
    reason: str


class Floor:
    """Follows one stretch of caller speech after another; `phrases` are the agent's own backchannels."""

    def __init__(self, *, is_enabled: bool, phrases: Sequence[str], language: str) -> None:
        self._is_enabled = is_enabled
        self._phrases = phrases
        self._language = language
        self.voice = Voice.OPEN
        self.is_contested = False
        """The caller began to speak while the agent did, and nobody has given way for good."""
        self._left_s = 0.0
        self._has_words: bool | None = None

    def begin(self, left_s: float, *, is_heard: bool) -> list[Move]:
        """The caller begins to speak while the agent has `left_s` to say; not `is_heard`: it has not begun."""
        self.is_contested = True
        self._left_s = left_s
        self._has_words = None
        if not self._is_enabled:
            return []
        if is_heard:
            return self._move(Voice.DUCKED, "duck", "speech")
        return self._move(Voice.SILENT, "hold", "speech")

    def speech(self, speech_s: float) -> list[Move]:
        """The caller has spoken for so long in this stretch, and still does."""
        if not (self.is_contested and self._is_enabled):
            return []
        if self.voice is Voice.OPEN:
            return self._move(Voice.DUCKED, "duck", "speech")
        limit_s = HOLD_S if self._has_words is None else NOISE_HOLD_S
        if self.voice is Voice.DUCKED and speech_s >= limit_s:
            return self._move(Voice.SILENT, "hold", "late" if self._has_words is None else "speech")
        return []

    def words(self, text: str) -> list[Move]:
        """What the caller has said so far, perhaps nothing; speech goes on."""
        return self._judge("" if len(text) == 1 and text not in WORDS_OF_A_LETTER else text)

    def _judge(self, text: str) -> list[Move]:
        if not (self.is_contested and self._is_enabled):
            return []
        self._has_words = bool(text)
        if self.voice is Voice.SILENT or not text or self.is_only_listening(text):
            return []
        return self._move(Voice.SILENT, "cut", "words")

    def pause(self, text: str) -> list[Move]:
        """What the caller has said when they pause."""
        if not (self.is_contested and self._is_enabled):
            return []
        if not text:
            return self.give_back("noise")
        return self.give_back("backchannel") if self.is_only_listening(text) else self._judge(text)

    def is_only_listening(self, text: str) -> bool:
        """Whether the words do not ask for the floor; at the very end of a reply all words do."""
        if self._left_s <= BOUNDARY_S or is_stop(text, self._language):
            return False
        return is_backchannel(text, phrases=self._phrases, language=self._language)

    def give_back(self, reason: str) -> list[Move]:
        """The agent goes on at full level."""
        return self._move(Voice.OPEN, "restore", reason) if self.voice is not Voice.OPEN else []

    def end(self) -> None:
        """The caller's stretch is over, or the reply is."""
        self.is_contested = False
        self.voice = Voice.OPEN

    def _move(self, voice: Voice, decision: BargeInDecision, reason: str) -> list[Move]:
        self.voice = voice
        return [Move(decision, reason)]
