"""How far the agent's turn has come, as whoever takes the call up after a crash has to know it. Pure.

A note is written when a clause begins to sound, and again when something changes what it says: the voice is taken back,
a function begins or answers. The turn's own entry in the log makes it worthless; a turn of which nothing was heard has
none, so its note is taken back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actors.call_session.commands import SaveProgress
from actors.call_session.speech import Clause, Speech
from models.call import FunctionCall

WORD_S = 0.3
"""What a word takes, as long as the voice has not delivered the clause."""
OFF_S = 0.25
"""An estimate that was wrong by less is left as it is."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound that has just gone to the carrier: bytes of the turn, and when the first of them sounds."""

    start: int
    end: int
    starts_in_s: float
    bytes_per_s: int


class Notes:
    """Writes down one turn after another."""

    def __init__(self) -> None:
        self._clause: Clause | None = None
        self._last: SaveProgress | None = None
        self._sounds_at = 0.0
        self._from = 0
        """The byte of the turn from which the clause is noted."""
        self._is_estimate = False

    def sent(
        self, speech: Speech, stretch: Stretch, functions: Sequence[FunctionCall], now: float
    ) -> list[SaveProgress]:
        """More of the turn is on its way to the caller: a note if that is another clause, or the rest of one."""
        found = speech.sounding_at(stretch.end - 1)
        if found is None:
            return []
        clause, start = found
        if clause is self._clause:
            return self._correct(start + len(clause.pcm), stretch.bytes_per_s, now)
        self._clause, self._from, self._is_estimate = clause, max(start, stretch.start), not clause.is_done
        text = speech.words_until(self._from)
        rest = clause.text.split()[len(text.split()) - len(speech.words_until(start).split()) :]
        known_s = (start + len(clause.pcm) - self._from) / stretch.bytes_per_s
        clause_s = max(known_s, WORD_S * len(rest)) if self._is_estimate else known_s
        self._sounds_at = now + stretch.starts_in_s + (self._from - stretch.start) / stretch.bytes_per_s
        return self._note(SaveProgress(text, " ".join(rest), self._sounds_at - now, clause_s, tuple(functions)))

    def _correct(self, end: int, bytes_per_s: int, now: float) -> list[SaveProgress]:
        """The clause goes on: once all its sound is there, its length is known."""
        assert self._clause is not None
        if self._last is None or not (self._is_estimate and self._clause.is_done):
            return []
        self._is_estimate = False
        clause_s = (end - self._from) / bytes_per_s
        if abs(clause_s - self._last.clause_s) <= OFF_S:
            return []
        return self._note(replace(self._last, starts_in_s=self._sounds_at - now, clause_s=clause_s))

    def fell_silent(self, heard: str, functions: Sequence[FunctionCall]) -> list[SaveProgress]:
        """The voice was taken back: nothing of the clause is heard after this, until it sounds again."""
        self._clause = None
        return self._note(SaveProgress(heard, "", 0.0, 0.0, tuple(functions))) if self._last is not None else []

    def called(self, functions: Sequence[FunctionCall], now: float) -> list[SaveProgress]:
        """A function began or answered, whatever sounds meanwhile."""
        last = self._last or SaveProgress("", "", 0.0, 0.0)
        starts_in_s = self._sounds_at - now if last.clause else 0.0
        return self._note(SaveProgress(last.text, last.clause, starts_in_s, last.clause_s, tuple(functions)))

    def saved(self) -> None:
        """The turn is in the log."""
        self._clause = self._last = None

    def unsaid(self, functions: Sequence[FunctionCall]) -> list[SaveProgress]:
        """The turn is over and is not in the log."""
        had_note = self._last is not None
        self.saved()
        return [SaveProgress("", "", 0.0, 0.0, tuple(functions))] if had_note else []

    def _note(self, note: SaveProgress) -> list[SaveProgress]:
        self._last = note
        return [note]
