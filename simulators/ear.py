"""The virtual ear: what a carrier plays to the caller, and when. Pure; time is an argument, in monotonic seconds.

Audio is queued as it arrives and played in real time. A mark is due when everything before it was played; `clear`
drops what was not. Positions are samples since `origin`, so audio that plays back to back joins without a seam.
"""

import math
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass

import numpy as np

from simulators.sound import Floats, level_dbfs

LOUD_DBFS = -45.0
"""Louder than this is speech; a telephone line's noise is not."""
_FRAME_S = 0.01
_TURN_PAUSE_S = 2.0
"""A longer silence is the agent speaking again of its own accord, not audio that came too late."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One piece of audio: when it came and when it was to be played; it starts anew if nothing was left to play."""

    at: float
    plays_at: float
    starts_anew: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """The queue ran dry at `at` although more of the same turn came `seconds` later."""

    at: float
    seconds: float


@dataclass(slots=True)
class Mark:
    """A mark as it came and as it went; neither played nor cleared: the call ended first."""

    name: str
    at: float
    played_at: float | None = None
    cleared_at: float | None = None


@dataclass(slots=True)
class _Piece:
    start: int
    samples: Floats


class Ear:
    """One stream's playout. Feed it what comes with `hear`, `mark` and `clear`; ask `due` when `deadline` has come."""

    def __init__(self, rate_hz: int, *, origin: float) -> None:
        self.rate_hz = rate_hz
        self.origin = origin
        self.arrivals: list[Arrival] = []
        self.gaps: list[Gap] = []
        self.marks: list[Mark] = []
        self.clears: list[float] = []
        self._pieces: list[_Piece] = []
        self._loud: list[int] = []
        self._waiting: deque[tuple[int, Mark]] = deque()
        self._end = 0
        self._is_new_turn = True

    # --- what the platform sends ---------------------------------------------------------------------
    def hear(self, samples: Floats, now: float) -> None:
        """Queue audio."""
        here = self._position(now)
        start = max(here, self._end)
        late_s = (start - self._end) / self.rate_hz
        if late_s > 0 and not self._is_new_turn and late_s < _TURN_PAUSE_S:
            self.gaps.append(Gap(self._time(self._end), late_s))
        self._is_new_turn = False
        self._pieces.append(_Piece(start, samples))
        self._end = start + len(samples)
        self._loud.extend(start + at for at in _loud_frames(samples, self.rate_hz))
        self.arrivals.append(Arrival(now, self._time(start), start == here))

    def mark(self, name: str, now: float) -> None:
        """Queue a mark behind the audio so far."""
        mark = Mark(name, now)
        self.marks.append(mark)
        self._waiting.append((max(self._position(now), self._end), mark))

    def clear(self, now: float) -> None:
        """Drop everything not yet played; the marks in it are never echoed."""
        here = self._position(now)
        self.clears.append(now)
        for _, mark in self._waiting:
            mark.cleared_at = now
        self._waiting.clear()
        while self._pieces and self._pieces[-1].start >= here:
            self._pieces.pop()
        if self._pieces:
            last = self._pieces[-1]
            last.samples = last.samples[: here - last.start]
        self._end = min(self._end, here)
        del self._loud[bisect_left(self._loud, here) :]
        self._is_new_turn = True

    def turn_over(self) -> None:
        """The caller spoke: silence before the next audio is waiting, not a gap."""
        self._is_new_turn = True

    # --- the playout clock ---------------------------------------------------------------------------
    def deadline(self) -> float | None:
        """When the next mark is due."""
        return self._time(self._waiting[0][0]) if self._waiting else None

    def due(self, now: float) -> list[str]:
        """The marks whose audio was played by now, each once, in order."""
        played = []
        while self._waiting and self._time(self._waiting[0][0]) <= now:
            mark = self._waiting.popleft()[1]
            mark.played_at = now
            played.append(mark.name)
        return played

    # --- what the caller notices ---------------------------------------------------------------------
    def is_playing(self, now: float) -> bool:
        """Whether there is audio left to play."""
        return self._time(self._end) > now

    def last_loud(self, now: float) -> float | None:
        """When the agent was last heard to speak, up to now."""
        index = bisect_right(self._loud, self._position(now))
        return self._time(self._loud[index - 1]) if index else None

    def first_loud(self, after: float) -> float | None:
        """When the agent is first heard at or after a moment; this may lie ahead, in queued audio."""
        index = bisect_left(self._loud, self._position(after))
        return self._time(self._loud[index]) if index < len(self._loud) else None

    def speech(self, *, pause_s: float = 0.5) -> list[tuple[float, float]]:
        """Start and end of each stretch of agent speech; shorter pauses belong to the stretch."""
        spans: list[tuple[float, float]] = []
        for position in self._loud:
            start = self._time(position)
            if spans and start - spans[-1][1] <= pause_s:
                spans[-1] = (spans[-1][0], start + _FRAME_S)
            else:
                spans.append((start, start + _FRAME_S))
        return spans

    def heard(self, until: float) -> Floats:
        """Everything the caller heard from the origin until a moment."""
        return self.span(self.origin, until)

    def span(self, start: float, end: float) -> Floats:
        """What the caller heard between two moments; silence where nothing was played."""
        first, last = self._position(start), self._position(end)
        out = np.zeros(max(0, last - first), dtype=np.float32)
        for piece in self._pieces:
            begin, stop = max(piece.start, first), min(piece.start + len(piece.samples), last)
            if begin < stop:
                out[begin - first : stop - first] = piece.samples[begin - piece.start : stop - piece.start]
        return out

    def level(self, start: float, end: float) -> float:
        """How loud that was, in dBFS; -120 for silence."""
        return level_dbfs(self.span(start, end))

    def _position(self, moment: float) -> int:
        # The tiny slack keeps a moment made from a position on that position.
        return max(0, math.ceil((moment - self.origin) * self.rate_hz - 1e-4))

    def _time(self, position: int) -> float:
        return self.origin + position / self.rate_hz


def _loud_frames(samples: Floats, rate_hz: int) -> list[int]:
    size = int(_FRAME_S * rate_hz)
    return [at for at in range(0, len(samples), size) if level_dbfs(samples[at : at + size]) > LOUD_DBFS]
