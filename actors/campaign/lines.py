"""For how many calls there is room, as a campaign learns it from refusals. Pure.

A product that is full refuses each dial, and each refusal is an attempt on somebody's record that nobody heard of. So
after one no more calls are under way than there were lines just then. One more is tried after `PROBE`, twice as many
more after each further one, until there is a refusal again or the campaign's own limit is reached.
"""

from datetime import datetime, timedelta

PROBE = timedelta(seconds=30)


class Lines:
    """What one campaign was told of the room for its calls. It knows nothing at first, and then there is enough."""

    def __init__(self) -> None:
        self._carried = 0
        self._refused_at: datetime | None = None

    def refused(self, live: int, now: datetime) -> None:
        """There was no room for a call besides so many of the campaign's own."""
        self._carried, self._refused_at = max(1, live), now

    def most(self, limit: int, now: datetime) -> int:
        """How many calls there may be room for; `limit` is how many the campaign wants."""
        if self._refused_at is None:
            return limit
        probes = min((now - self._refused_at) // PROBE, limit.bit_length())
        return min(limit, self._carried + (1 << probes) - 1)

    def free_at(self, live: int, now: datetime) -> datetime:
        """When there may be room for a call besides so many: now, or at a probe."""
        if self._refused_at is None or live < self._carried:
            return now
        needed = (live - self._carried + 1).bit_length()  # 2**needed is more than live - carried + 1
        return max(now, self._refused_at + needed * PROBE)
