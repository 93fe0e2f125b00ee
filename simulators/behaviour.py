"""How a simulated vendor behaves, request by request: delays, pace, faults. Pure."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Fault(StrEnum):
    """What goes wrong with a request."""

    STALL = "stall"
    """The answer stops coming; the connection stays open."""
    CUT = "cut"
    """The connection is dropped in the middle of the answer."""
    RATE_LIMITED = "rate-limited"
    """429 with Retry-After."""
    BROKEN = "broken"
    """500."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One request's treatment. Amounts are tokens for a language model, seconds of audio for a voice."""

    first_s: float = 0.0
    """From the request to the first token or byte."""
    per_s: float = math.inf
    """Amount per second after that."""
    fault: Fault | None = None
    after: float = 0.0
    """Amount that comes before a stall or a cut."""
    retry_after_s: int = 1

    def due_s(self, amount: float) -> float:
        """When, after the request, the piece that follows `amount` is sent."""
        return self.first_s + (amount / self.per_s if math.isfinite(self.per_s) else 0.0)

    def fails_at(self, amount: float) -> bool:
        """Whether a stall or a cut comes instead of the piece that follows `amount`."""
        return self.fault in (Fault.STALL, Fault.CUT) and amount >= self.after


class Series(Generic[T]):
    """Items handed out in order, then the default for ever."""

    def __init__(self, default: T, items: Iterable[T] = ()) -> None:
        self.default = default
        self._items = deque(items)

    def add(self, *items: T) -> None:
        """Queue more items before the default."""
        self._items.extend(items)

    def next(self) -> T:
        """The next item."""
        return self._items.popleft() if self._items else self.default
