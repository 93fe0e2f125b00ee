"""What is to be said in one turn: clauses in order, and their audio as it arrives. Pure.

A clause is known by its id, not by its place: a filler may still be put before what has not been sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Clause:
    """One clause: its words and, as it arrives, its audio. `is_ordered`: the voice has been asked for it."""

    id: int
    text: str
    pcm: bytearray = field(default_factory=bytearray)
    is_done: bool = False
    is_ordered: bool = False
    is_filler: bool = False
    """Said to bridge a wait; no part of the answer."""


@dataclass(slots=True)
class Speech:
    """One turn's clauses. PCM is 16-bit at the carrier's rate; `is_complete`: no clause follows."""

    clauses: list[Clause] = field(default_factory=list)
    is_complete: bool = False
    _count: int = 0

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(clause.text for clause in self.clauses if clause.text)

    @property
    def has_answer(self) -> bool:
        """There is more to say than fillers."""
        return any(not clause.is_filler for clause in self.clauses)

    def add(self, text: str, *, pcm: bytes | None = None) -> Clause:
        """Announce the next clause; with `pcm` it needs no voice."""
        clause = self._new(text, pcm)
        self.clauses.append(clause)
        return clause

    def add_filler(self, text: str, *, after_bytes: int) -> Clause:
        """Put a filler before the first clause of which nothing was sent; `after_bytes` were sent in all."""
        place, start = len(self.clauses), 0
        for index, clause in enumerate(self.clauses):
            if start >= after_bytes and not (clause.is_done and not clause.pcm):
                place = index
                break
            start += len(clause.pcm)
        filler = self._new(text, None)
        filler.is_filler = True
        self.clauses.insert(place, filler)
        return filler

    def drop_fillers(self) -> None:
        """They were heard, and are not to be heard again."""
        self.clauses = [clause for clause in self.clauses if not clause.is_filler]

    def drop_idle_fillers(self) -> None:
        """The answer is there: a filler that has not begun to sound would only hold it up."""
        self.clauses = [clause for clause in self.clauses if clause.pcm or not clause.is_filler]

    def put_first(self, clauses: Sequence[Clause]) -> None:
        """What has been said of this turn already, under other ids that nobody will ask for again."""
        for clause in clauses:
            clause.is_ordered = clause.is_done = True
            clause.id = -1
        self.clauses[:0] = clauses

    def find(self, clause_id: int) -> Clause | None:
        """The clause of an id; None: it is gone."""
        return next((clause for clause in self.clauses if clause.id == clause_id), None)

    def ready(self) -> tuple[int, bool]:
        """Bytes that can be played in order, and whether every clause is done up to their end."""
        ready = 0
        for clause in self.clauses:
            ready += len(clause.pcm)
            if not clause.is_done:
                return ready, False
        return ready, True

    def audio(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from byte `start` on."""
        out = bytearray()
        for clause in self.clauses:
            if start < len(clause.pcm):
                out += clause.pcm[start : start + size - len(out)]
            start = max(0, start - len(clause.pcm))
            if len(out) >= size or not clause.is_done:
                break
        return bytes(out)

    def words_until(self, heard: int) -> str:
        """The words in the first `heard` bytes; of a clause cut short, the share of its words that was played."""
        words: list[str] = []
        for clause in self.clauses:
            if heard <= 0:
                break
            share = min(1.0, heard / len(clause.pcm)) if clause.pcm else 1.0
            said = clause.text.split()
            words += said[: int(share * len(said) + 0.5)] if share < 1 else said
            heard -= len(clause.pcm)
        return " ".join(words)

    def sounding_at(self, position: int) -> tuple[Clause, int] | None:
        """The clause a byte belongs to, and the byte where that clause starts; None: there is no such byte."""
        start = 0
        for clause in self.clauses:
            if start <= position < start + len(clause.pcm):
                return clause, start
            start += len(clause.pcm)
        return None

    def _new(self, text: str, pcm: bytes | None) -> Clause:
        self._count += 1
        ready = pcm is not None
        return Clause(self._count, text, bytearray(pcm or b""), is_done=ready, is_ordered=ready)
