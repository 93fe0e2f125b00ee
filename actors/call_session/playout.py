"""What the agent says, on its way to the caller's ear: order, pace, marks, and how much was heard. Pure.

Audio of one turn is one byte stream of clauses in order, cut into carrier-sized chunks. Chunks are sent so that
the carrier holds at most `LEAD_S` of unplayed audio; a mark after each chunk tells how far the caller has heard.
"""

from dataclasses import dataclass, field

from actors.call_session.protocol import ClearPlayback, SendAudio, SendMark

LEAD_S = 0.6
"""Enough to ride out a busy machine, little enough that no carrier sees a burst."""
MARK_GRACE_S = 1.0
"""A mark this late will not come: the playout clock stands in for it."""
SAMPLE_BYTES = 2


@dataclass(slots=True)
class Clause:
    """One clause: its words and, as it arrives, its audio."""

    text: str
    pcm: bytearray = field(default_factory=bytearray)
    is_done: bool = False


class Playout:
    """Plays one turn at a time."""

    def __init__(self, *, rate_hz: int, chunk_bytes: int) -> None:
        self._bytes_per_s = rate_hz * SAMPLE_BYTES
        self._chunk_bytes = chunk_bytes
        self._chunk_s = chunk_bytes / self._bytes_per_s
        self._marks_work = False
        self._ends_at = 0.0
        self._epoch = 0
        self._start_turn()

    def _start_turn(self) -> None:
        self._epoch += 1
        self._clauses: list[Clause] = []
        self._is_complete = False
        self._is_held = False
        self._sent = 0
        self._heard = 0
        self._chunks = 0
        self._marks: dict[str, int] = {}

    @property
    def has_started(self) -> bool:
        """Some audio of this turn is on its way to the caller or was there."""
        return self._sent > 0

    def add_clause(self, text: str) -> int:
        """Announce the next clause; its index."""
        self._clauses.append(Clause(text))
        return len(self._clauses) - 1

    def complete(self) -> None:
        """No clause follows."""
        self._is_complete = True

    def add_audio(self, clause: int, pcm: bytes) -> None:
        """More audio of a clause."""
        self._clauses[clause].pcm += pcm

    def finish_clause(self, clause: int) -> None:
        """The clause has all its audio."""
        self._clauses[clause].is_done = True

    def mark_played(self, name: str, now: float) -> None:
        """The carrier confirmed a mark; marks from before a clear are forgotten and do nothing."""
        position = self._marks.pop(name, None)
        if position is not None:
            self._marks_work = True
            self._heard = max(self._heard, position)
            if position >= self._sent:
                self._ends_at = min(self._ends_at, now)

    def due(self, now: float) -> list[SendAudio | SendMark]:
        """What is to be sent now."""
        commands: list[SendAudio | SendMark] = []
        while not self._is_held and now >= self._next_send() - 1e-6:
            chunk = self._next_chunk()
            if chunk is None:
                break
            start = max(now, self._ends_at)
            self._ends_at = start + len(chunk) / self._bytes_per_s
            self._chunks += 1
            name = f"{self._epoch}.{self._chunks}"
            self._marks[name] = self._sent
            commands += [SendAudio(chunk, at=start), SendMark(name)]
        return commands

    def deadline(self, now: float) -> float | None:
        """When `due` or `is_finished` will next have something new to say without a further event."""
        if self._is_held:
            return None
        if self._has_chunk():
            return max(now, self._next_send())
        return self._ends_at + MARK_GRACE_S if self._marks and self._all_sent() else None

    def is_finished(self, now: float) -> bool:
        """Everything was said and heard."""
        if not (self._is_complete and self._all_sent()) or self._is_held:
            return False
        return not self._marks or self._heard >= self._sent or now >= self._ends_at + MARK_GRACE_S

    def hold(self, now: float) -> list[ClearPlayback]:
        """Fall silent at once; `resume` goes on from what was heard."""
        self._sent = self._heard = self._heard_bytes(now)
        had_audio = self._ends_at > now
        self._is_held = True
        self._ends_at = min(self._ends_at, now)
        self._marks.clear()
        self._epoch += 1
        return [ClearPlayback()] if had_audio else []

    def resume(self) -> None:
        """Go on after a `hold`."""
        self._is_held = False

    def text_heard(self, now: float) -> str:
        """The words of this turn that have reached the caller."""
        left = self._heard_bytes(now)
        words: list[str] = []
        for clause in self._clauses:
            if left <= 0:
                break
            share = min(1.0, left / len(clause.pcm)) if clause.pcm else 1.0
            said = clause.text.split()
            words += said[: int(share * len(said) + 0.5)] if share < 1 else said
            left -= len(clause.pcm)
        return " ".join(words)

    def drop(self, now: float) -> list[ClearPlayback]:
        """Forget this turn; silence."""
        cleared = [] if self._is_held else self.hold(now)
        self._start_turn()
        return cleared

    def _next_send(self) -> float:
        """When the carrier has room for another chunk."""
        return self._ends_at + self._chunk_s - LEAD_S

    def _heard_bytes(self, now: float) -> int:
        if self._marks_work:
            return self._heard
        unplayed = max(0.0, self._ends_at - now) * self._bytes_per_s
        return max(self._heard, self._sent - int(unplayed))

    def _streamable(self) -> tuple[int, bool]:
        """How many bytes are ready in order, and whether the last of them ends a clause."""
        ready = 0
        for clause in self._clauses:
            ready += len(clause.pcm)
            if not clause.is_done:
                return ready, False
        return ready, True

    def _all_sent(self) -> bool:
        ready, ends_clause = self._streamable()
        return ends_clause and self._sent >= ready

    def _has_chunk(self) -> bool:
        ready, ends_clause = self._streamable()
        return ready - self._sent >= self._chunk_bytes or (ends_clause and ready > self._sent)

    def _next_chunk(self) -> bytes | None:
        if not self._has_chunk():
            return None
        chunk = b"".join(clause.pcm for clause in self._clauses)[self._sent : self._sent + self._chunk_bytes]
        self._sent += len(chunk)
        return chunk.ljust(self._chunk_bytes, b"\0")
