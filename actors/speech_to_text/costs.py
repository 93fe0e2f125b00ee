"""How long a batch will take: learnt online per window and batch size, guessed from the nearest known ones. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

ALPHA = 0.2
"""Weight of the newest measurement."""
UNKNOWN_MS = 50.0
"""One row before anything was measured."""
THOROUGH = 1.35
"""Five beams against one, alone in its batch."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One cell of the table, in milliseconds for the whole batch."""

    frames: int
    batch: int
    is_thorough: bool
    encode_ms: float
    decode_ms: float
    seen: int


class CostTable:
    """Means of what batches took, the newest counting most.

    An unknown cell is scaled from the nearest known one by the shape of Whisper's cost on CPUs: encoding grows with
    the batch and with frames to the power 1.5, decoding by 15 % of one row's cost a row and, for its attention
    to the sound, from 300 to 3,000 frames to the double.
    """

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int, bool], Cost] = {}
        self._guesses: dict[tuple[int, int, bool], float] = {}

    def learn(self, frames: int, batch: int, encode_ms: float, decode_ms: float, *, is_thorough: bool = False) -> None:
        """A batch took this long."""
        key = (frames, batch, is_thorough)
        old = self._cells.get(key)
        if old is not None:
            encode_ms = old.encode_ms + ALPHA * (encode_ms - old.encode_ms)
            decode_ms = old.decode_ms + ALPHA * (decode_ms - old.decode_ms)
        self._cells[key] = Cost(*key, encode_ms, decode_ms, 1 if old is None else old.seen + 1)
        self._guesses.clear()

    def predict(self, frames: int, batch: int, *, is_thorough: bool = False) -> float:
        """Milliseconds such a batch will take."""
        key = (frames, batch, is_thorough)
        if key not in self._guesses:
            self._guesses[key] = self._guess(*key)
        return self._guesses[key]

    def rows(self) -> Iterator[Cost]:
        """What was measured, by window and batch."""
        yield from (self._cells[key] for key in sorted(self._cells))

    def _guess(self, frames: int, batch: int, is_thorough: bool) -> float:
        known = [cost for cost in self._cells.values() if cost.is_thorough == is_thorough]
        scale = 1.0
        if not known:
            known, scale = list(self._cells.values()), THOROUGH if is_thorough else 1 / THOROUGH
        if not known:
            return UNKNOWN_MS * batch
        near = min(known, key=lambda cost: _distance(cost, frames, batch))
        encode_ms = near.encode_ms * (batch / near.batch) * math.pow(frames / near.frames, 1.5)
        decode_ms = near.decode_ms * _decode_shape(frames, batch) / _decode_shape(near.frames, near.batch)
        return encode_ms + decode_ms * scale


def _distance(cost: Cost, frames: int, batch: int) -> float:
    return 2 * abs(math.log(cost.frames / frames)) + abs(math.log(cost.batch / batch))


def _decode_shape(frames: int, batch: int) -> float:
    return (1 + 0.15 * (batch - 1)) * (1 + max(0, frames - 300) / 2_700)
