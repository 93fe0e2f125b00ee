"""What the agent says, on its way to the caller's ear: pace, level, marks, and how much was heard. Pure.

Audio of one turn is one byte stream cut into carrier-sized chunks. Chunks are sent so that the carrier holds at most
`LEAD_S` of unplayed audio; a mark after each chunk tells how far the caller has heard. To change what the carrier
already holds (quieter, silent) it is cleared, and sent again from what was heard.
"""

from actors.call_session.audio import scaled
from actors.call_session.protocol import ClearPlayback, SendAudio, SendMark
from actors.call_session.speech import Speech

LEAD_S = 0.6
"""Enough to ride out a busy machine, little enough that no carrier sees a burst."""
MOST_LAG_S = 0.5
"""A mark later than this says nothing of when its audio was played."""
MARK_GRACE_S = 1.0
"""A mark this late will not come: the playout clock stands in for it."""
DUCK_DB = -12.0
SAMPLE_BYTES = 2


class Playout:
    """Plays one turn at a time. The names of its marks begin with `marks`: those of another actor confirm nothing."""

    def __init__(self, *, rate_hz: int, chunk_bytes: int, marks: str = "") -> None:
        self.rate_hz = rate_hz
        self._mark_prefix = marks
        self._bytes_per_s = rate_hz * SAMPLE_BYTES
        self._chunk_bytes = chunk_bytes
        self._chunk_s = chunk_bytes / self._bytes_per_s
        self._marks_work = False
        self._lag_s = 0.0
        """How much later than by our clock the carrier plays, as the last mark told. Its way back is counted in: audio
        that is taken back is rather heard twice than never."""
        self._ends_at = 0.0
        self._epoch = 0
        self._speech = Speech()
        self._start_turn()

    def _start_turn(self) -> None:
        self._epoch += 1
        self._is_held = False
        self._is_ducked = False
        self._sent = 0
        self._heard = 0
        self._chunks = 0
        self._marks: dict[str, tuple[int, float]] = {}
        """By name: the bytes before the mark, and when they were to be over."""

    # --- what is played -------------------------------------------------------------------------------
    def play(self, speech: Speech) -> None:
        """From here on say this; what was said of it before (see `Speech.put_first`) is not said again."""
        self._speech = speech

    @property
    def sent_bytes(self) -> int:
        """How much of the turn has gone to the carrier."""
        return self._sent

    @property
    def ends_at(self) -> float:
        """When the last sound sent so far is over; 0.0: nothing was ever sent."""
        return self._ends_at

    def is_audible(self, now: float) -> bool:
        """The caller hears the agent at this moment."""
        return self._ends_at > now and not self._is_held

    def left_s(self, now: float) -> float:
        """How much of this turn the caller has still to hear; infinite while more may come."""
        ready, is_all = self._speech.ready()
        if not (is_all and self._speech.is_complete):
            return float("inf")
        return (ready - self._heard_bytes(now)) / self._bytes_per_s

    def mark_played(self, name: str, now: float) -> None:
        """The carrier confirmed a mark; marks from before a clear are forgotten and do nothing."""
        position, due = self._marks.pop(name, (None, 0.0))
        if position is not None:
            self._marks_work = True
            self._lag_s = min(max(0.0, now - due), MOST_LAG_S)
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
            name = f"{self._mark_prefix}{self._epoch}.{self._chunks}"
            self._marks[name] = self._sent, self._ends_at
            commands += [SendAudio(chunk, at=start), SendMark(name)]
        return commands

    def deadline(self, now: float) -> float | None:
        """When `due` or `is_finished` will next have something new to say without a further event."""
        if self._is_held:
            return None
        if self._has_chunk():
            return max(now, self._next_send())
        waits_for_marks = self._speech.is_complete and self._marks and self._all_sent()
        return self._ends_at + MARK_GRACE_S if waits_for_marks else None

    def is_finished(self, now: float) -> bool:
        """Everything was said and heard."""
        if not (self._speech.is_complete and self._all_sent()) or self._is_held:
            return False
        return not self._marks or self._heard >= self._sent or now >= self._ends_at + MARK_GRACE_S

    def text_heard(self, now: float) -> str:
        """The words of this turn that have reached the caller."""
        return self._speech.words_until(self._heard if self._marks_work else self._heard_bytes(now))

    # --- the caller speaks into it --------------------------------------------------------------------
    def duck(self, now: float) -> list[ClearPlayback]:
        """Go on at -12 dB."""
        if self._is_ducked or self._is_held:
            return []
        self._is_ducked = True
        return self._take_back(now)

    def hold(self, now: float) -> list[ClearPlayback]:
        """Fall silent at once; `restore` goes on from what was heard."""
        if self._is_held:
            return []
        self._is_held = True
        return self._take_back(now)

    def restore(self, now: float) -> list[ClearPlayback]:
        """Full level again, after a `duck` or a `hold`."""
        was_ducked = self._is_ducked and not self._is_held
        self._is_ducked = self._is_held = False
        return self._take_back(now) if was_ducked else []

    def drop(self, now: float) -> list[ClearPlayback]:
        """Forget this turn; silence."""
        had_audio = self._ends_at > now
        self._ends_at = min(self._ends_at, now)
        self._speech = Speech()
        self._start_turn()
        return [ClearPlayback()] if had_audio else []

    def _take_back(self, now: float) -> list[ClearPlayback]:
        """Have the carrier forget what it has not played; it is still to be sent."""
        had_audio = self._ends_at > now
        if had_audio or self._marks:
            self._sent = self._heard = self._heard_bytes(now)
            self._ends_at = min(self._ends_at, now)
            self._marks.clear()
            self._epoch += 1
        return [ClearPlayback()] if had_audio else []

    # --- positions ------------------------------------------------------------------------------------
    def _heard_bytes(self, now: float) -> int:
        """By the clock, within what marks have confirmed where there are any: they come a chunk late at most."""
        by_clock = self._sent - max(0, round((self._ends_at + self._lag_s - now) * self._bytes_per_s))
        by_clock -= by_clock % SAMPLE_BYTES
        if not self._marks_work:
            return max(self._heard, by_clock)
        return max(self._heard, min(by_clock, self._heard + self._chunk_bytes))

    def _next_send(self) -> float:
        """When the carrier has room for another chunk."""
        return self._ends_at + self._chunk_s - LEAD_S

    def _all_sent(self) -> bool:
        ready, ends_clause = self._speech.ready()
        return ends_clause and self._sent >= ready

    def _has_chunk(self) -> bool:
        ready, ends_clause = self._speech.ready()
        return ready - self._sent >= self._chunk_bytes or (ends_clause and ready > self._sent)

    def _next_chunk(self) -> bytes | None:
        if not self._has_chunk():
            return None
        chunk = self._speech.audio(self._sent, self._chunk_bytes)
        self._sent += len(chunk)
        chunk = scaled(chunk, DUCK_DB) if self._is_ducked else chunk
        return chunk.ljust(self._chunk_bytes, b"\0")
