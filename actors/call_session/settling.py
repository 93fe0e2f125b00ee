"""Which of the carrier's messages a next actor would still need, should this one die. Pure.

While something the caller said is not in the log, nothing is given up from before it. When all of it is, the last
moments are kept all the same: a word may have begun in them that the ear has not noticed yet.
"""

from collections import deque

KEEP_S = 1.2
"""More than it takes to notice speech, with the sound before it that belongs to the word."""
EVERY_S = 1.0


class Settling:
    """Counts the messages of one attachment, the repeated ones included. Times are seconds."""

    def __init__(self) -> None:
        self._received = 0
        self._recent: deque[float] = deque()
        self._told = 0
        self._told_at = float("-inf")

    def received(self, now: float) -> None:
        """One more message."""
        self._received += 1
        self._recent.append(now)

    def due(self, now: float, *, is_needed: bool) -> int | None:
        """How many messages are needed no more, now and then if that has grown; `is_needed`: none is given up now."""
        if is_needed or now - self._told_at < EVERY_S:
            return None
        while self._recent and self._recent[0] <= now - KEEP_S:
            self._recent.popleft()
        count = self._received - len(self._recent)
        if count == self._told:
            return None
        self._told, self._told_at = count, now
        return count
