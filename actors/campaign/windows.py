"""When a contact may be called, by the contact's own clock and calendar. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import chain
from zoneinfo import ZoneInfo

from actors.campaign.zones import DAY, Span, date_at, instants
from models.campaign import WEEKDAYS, CampaignRules, Refusal, Window

LOOKAHEAD_DAYS = 370
"""Whatever does not open within a year is taken to open never."""
MOST_REMEMBERED = 4096
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Open:
    """A call may begin now and before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """No call may begin before `opens`; None: not before the campaign ends, or not within a year."""

    reason: Refusal
    opens: datetime | None


class Hours:
    """The windows and holidays of one campaign, looked at in any time zone.

    A window is open while a clock on a wall there shows its times. It belongs to the day on which it opens: on a
    holiday it does not open, and an overnight one closes at midnight before a holiday.
    """

    def __init__(self, rules: CampaignRules, ends_at: datetime | None = None) -> None:
        self._ends_at = ends_at or NEVER
        self._windows = {day: tuple(each for each in rules.windows if day in each.days) for day in WEEKDAYS}
        self._holidays = frozenset(rules.holidays)
        self._spans: dict[tuple[str, date], tuple[Span, ...]] = {}

    def at(self, zone: ZoneInfo, now: datetime) -> Open | Closed:
        """Whether contacts there may be called now."""
        today = date_at(zone, now)
        around = chain(self._of(zone, today - DAY), self._of(zone, today))
        until = max((span.end for span in around if span.has(now)), default=None)
        if until is not None and now < self._ends_at:
            return Open(min(until, self._ends_at))
        reason = Refusal.HOLIDAY if today in self._holidays else Refusal.OUTSIDE_WINDOW
        opens = self._opening(zone, today, now)
        return Closed(reason, opens if opens is None or opens < self._ends_at else None)

    def opening(self, zone: ZoneInfo, moment: datetime) -> datetime | None:
        """The first instant from `moment` on at which contacts there may be called; None as in `Closed`."""
        match self.at(zone, moment):
            case Open():
                return moment
            case Closed(opens=opens):
                return opens

    def _opening(self, zone: ZoneInfo, today: date, now: datetime) -> datetime | None:
        for ahead in range(-1, LOOKAHEAD_DAYS):
            day = today + ahead * DAY
            # What is left of a night whose clocks are put back may open after the next day's first window.
            near = chain(self._of(zone, day), self._of(zone, day + DAY))
            if opens := min((span.start for span in near if span.start > now), default=None):
                return opens
        return None

    def _of(self, zone: ZoneInfo, day: date) -> tuple[Span, ...]:
        """The spans of the windows that open on that day of the calendar there."""
        key = (zone.key, day)
        if key not in self._spans:
            if len(self._spans) >= MOST_REMEMBERED:
                self._spans.clear()
            self._spans[key] = tuple(self._computed(zone, day))
        return self._spans[key]

    def _computed(self, zone: ZoneInfo, day: date) -> Iterator[Span]:
        if day in self._holidays:
            return
        for window in self._windows[WEEKDAYS[day.weekday()]]:
            yield from instants(zone, datetime.combine(day, window.opens), self._closing(window, day))

    def _closing(self, window: Window, day: date) -> datetime:
        if not window.is_overnight:
            return datetime.combine(day, window.closes)
        is_cut = day + DAY in self._holidays
        return datetime.combine(day + DAY, time(0) if is_cut else window.closes)
