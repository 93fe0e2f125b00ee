"""Wall clocks and instants: when a clock on a wall somewhere shows the times between two others. Pure.

A wall time is a datetime without a zone. An instant has the zone UTC. Where clocks are put forward some wall times do
not happen, where they are put back some happen twice; here both are exact to the second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Span:
    """The instants from `start` on and before `end`."""

    start: datetime
    end: datetime

    def has(self, moment: datetime) -> bool:
        """Whether the moment is one of them."""
        return self.start <= moment < self.end


def instants(zone: ZoneInfo, since: datetime, until: datetime) -> tuple[Span, ...]:
    """All instants at which a wall clock there shows a time from `since` on and before `until`, in order.

    One span on most days; none if the clock jumps over all these times; two if it is put back into them.
    """
    first, last = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
    found: list[Span] = []
    for steady, offset in _steady(zone, first - DAY, last + DAY):
        start, end = max(steady.start, first - offset), min(steady.end, last - offset)
        if start >= end:
            continue
        if found and found[-1].end == start:
            start = found.pop().start
        found.append(Span(start, end))
    return tuple(found)


def start_of(zone: ZoneInfo, day: date, at: time = time(0)) -> datetime:
    """The first instant of the day, or of what is left of it from `at` on; of the next, if the calendar skips it."""
    wall, following = datetime.combine(day, at), datetime.combine(day + DAY, time(0))
    spans = instants(zone, wall, following)
    return spans[0].start if spans else start_of(zone, day + DAY)


def date_at(zone: ZoneInfo, now: datetime) -> date:
    """What a calendar there shows."""
    return now.astimezone(zone).date()


def _steady(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[Span, timedelta]]:
    """The spans in which clocks there are not touched, and how far ahead of UTC they are."""
    start, offset, probe = since, _offset(zone, since), since
    while probe < until:
        following = min(probe + DAY, until)
        if (changed := _offset(zone, following)) != offset:
            change = _change(zone, probe, following)
            yield Span(start, change), offset
            start, offset = change, changed
        probe = following
    yield Span(start, until), offset


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset; there is one change between the two."""
    old = _offset(zone, before)
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or NONE
