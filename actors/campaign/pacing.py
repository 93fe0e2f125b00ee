"""How many contacts a campaign may dial now, and when it may dial again. Pure.

Three limits hold together: dials in the last minute, dials in the campaign's own day, and a distance between batches
that spreads the minute's dials evenly. Concurrency is the machine's: it knows who is on the phone.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actors.campaign.zones import DAY, date_at, start_of
from models.campaign import Pacing

MINUTE = timedelta(minutes=1)


class Pace:
    """The dials of one campaign so far, as far as they still count."""

    def __init__(self, zone: ZoneInfo, now: datetime, *, lately: Iterable[datetime] = (), today: int = 0) -> None:
        """`lately`: the dials of the last minute; `today`: the number of dials since the campaign's day began."""
        self._zone = zone
        self._lately = deque(sorted(lately))
        self._day = date_at(zone, now)
        self._today = today
        self._next_batch = now

    def allowance(self, pacing: Pacing, now: datetime) -> int:
        """How many may be dialled at this moment, batches apart."""
        self._forget(now)
        left = [pacing.batch_size, pacing.calls_per_minute - len(self._lately)]
        if pacing.daily_cap is not None:
            left.append(pacing.daily_cap - self._today)
        return max(0, min(left))

    def free_at(self, pacing: Pacing, now: datetime) -> datetime:
        """When the next batch may begin: now, or the first moment at which no limit stands against it."""
        self._forget(now)
        free = max(now, self._next_batch)
        if (over := len(self._lately) - pacing.calls_per_minute) >= 0:
            free = max(free, self._lately[over] + MINUTE)
        if pacing.daily_cap is not None and self._today >= pacing.daily_cap:
            free = max(free, start_of(self._zone, self._day + DAY))
        return free

    def dialled(self, pacing: Pacing, now: datetime) -> None:
        """Somebody is dialled."""
        self._forget(now)
        self._lately.append(now)
        self._today += 1
        self._next_batch = max(self._next_batch, now) + MINUTE / pacing.calls_per_minute

    def not_dialled(self, at: datetime, now: datetime) -> None:
        """The dial of then never reached the carrier, so it does not count against its day."""
        self._forget(now)
        if self._today and date_at(self._zone, at) == self._day:
            self._today -= 1

    def moved(self, zone: ZoneInfo, now: datetime) -> None:
        """The campaign's calendar became another one. What was dialled in the old one's day counts in the new one's."""
        self._forget(now)
        self._zone, self._day = zone, date_at(zone, now)

    def _forget(self, now: datetime) -> None:
        while self._lately and self._lately[0] <= now - MINUTE:
            self._lately.popleft()
        if (day := date_at(self._zone, now)) > self._day:
            self._day, self._today = day, 0
