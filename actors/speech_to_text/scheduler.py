"""Who decodes next: a fixed number of turns, a bounded queue, earliest deadline first. Pure; times are arguments.

A request joins, waits until it is granted a turn, and its turn ends when the decoding does. Requests that leave
(their caller gave up) or whose deadline has passed are never granted one.
"""

import heapq
from enum import StrEnum
from typing import NewType

Ticket = NewType("Ticket", int)


class Verdict(StrEnum):
    """What happens to a request that joins."""

    GRANTED = "granted"
    QUEUED = "queued"
    FULL = "full"


class Scheduler:
    """`turns` requests decode at the same time, at most `limit` wait; one more is refused, whoever it is.

    Refusing the newcomer, not a queued request, keeps the promise made to those who already wait; with equal
    patience the newcomer's deadline is the last one anyway.
    """

    def __init__(self, *, turns: int, limit: int) -> None:
        self._free = turns
        self._limit = limit
        self._heap: list[tuple[float, Ticket]] = []
        self._waiting: set[Ticket] = set()
        self._last = 0

    def join(self, deadline: float) -> tuple[Ticket, Verdict]:
        """A new request, to be answered by `deadline`."""
        self._last += 1
        ticket = Ticket(self._last)
        if self._free:  # nobody waits while a turn is free
            self._free -= 1
            return ticket, Verdict.GRANTED
        if len(self._waiting) >= self._limit:
            return ticket, Verdict.FULL
        heapq.heappush(self._heap, (deadline, ticket))
        self._waiting.add(ticket)
        return ticket, Verdict.QUEUED

    def leave(self, ticket: Ticket) -> None:
        """The request will not wait any longer; nothing happens if it does not wait."""
        self._waiting.discard(ticket)

    def finish(self, now: float) -> Ticket | None:
        """A turn is over; the request that has it now, if any."""
        while self._heap:
            deadline, ticket = heapq.heappop(self._heap)
            if ticket in self._waiting:
                self._waiting.discard(ticket)
                if deadline > now:
                    return ticket
        self._free += 1
        return None

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def free(self) -> int:
        """Turns nobody has."""
        return self._free
