"""When local times are, and which a recurrence rule gives. Pure.

Clocks that are put forward leave local times out: such a time becomes the first moment after the gap. Clocks that are
put back have local times twice: the first counts. A rule (RFC 5545) is read in local time, so 9:00 stays 9:00.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrule, rrulestr

from models.errors import FieldError, Invalid

AHEAD = timedelta(days=3660)
"""How far times are looked for. A rule whose next time is further away has ended."""
LATER = 19 * 400
"""Years by which rules are read later: the library looks for a time until the year 9999, which takes it seconds from
today. The calendar repeats itself every 400 years, weekdays included."""
APART_MINUTES = 5
"""Times of one schedule are at least so far from each other."""

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
_ORDERED = ("YEARLY", "MONTHLY", "WEEKLY")
"""Frequencies that BYSETPOS may choose from: of the short ones it could look for years and find nothing."""
_RANGES = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "INTERVAL": (1, 10_000),
    "COUNT": (1, 100_000),
}
_SINGLE = ("INTERVAL", "COUNT")
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_DAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


@dataclass(frozen=True, slots=True)
class Moment:
    """One time of a schedule: the moment, the local time it stands for, and the how manieth of the rule it is."""

    at: datetime
    local: datetime
    number: int


# --- local times ------------------------------------------------------------------------------------------
def zone_of(name: str) -> ZoneInfo:
    """The time zone; raises Invalid."""
    if name not in _zones():
        raise _refused("timezone", "Must be an IANA time zone, such as Asia/Kolkata")
    return ZoneInfo(name)


def local_time(text: str) -> datetime:
    """A local time, without a zone, to the second; raises Invalid."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise _not_local() from error
    if read.tzinfo is not None or "T" not in text:
        raise _not_local()
    return read.replace(microsecond=0, fold=0)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which clocks in `zone` show `local` for the first time, or skip it."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return first
    # In a gap, fold 1 counts with the offset after it and so names a moment before it.
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


# --- rules ------------------------------------------------------------------------------------------------
def checked_rule(text: str) -> str:
    """The rule as it is kept, without `RRULE:`; raises Invalid for what cannot be read or recurs too often."""
    parts = _parts(text.strip().upper().removeprefix("RRULE:"))
    for name, value in parts.items():
        _check_part(name, value)
    if parts.get("FREQ") not in _FREQUENCIES:
        raise _refused("rrule", f"FREQ must be one of {', '.join(_FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise _refused("rrule", "COUNT and UNTIL exclude each other")
    if "BYSETPOS" in parts and parts["FREQ"] not in _ORDERED:
        raise _refused("rrule", f"BYSETPOS goes with {', '.join(_ORDERED)} only")
    _check_spacing(parts)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def first(start: datetime, zone: ZoneInfo, rule: str | None) -> Moment | None:
    """The first time at or after the local time `start`; None: the rule gives none. Raises Invalid for the rule."""
    if rule is None:
        return Moment(instant(start, zone), start, 1)
    try:
        return next(_times(start, zone, rule, 0), None)
    except (ValueError, OverflowError) as error:
        raise _refused("rrule", "Is no rule that gives times") from error


def following(moment: Moment, zone: ZoneInfo, rule: str | None) -> Iterator[Moment]:
    """The times after this one, in order, each later than the one before."""
    if rule is None:
        return
    last = moment.at
    # A rule that starts over at one of its own times goes on as it would have: no need to count from the beginning.
    for each in _times(moment.local, zone, rule, moment.number - 1):
        if each.at > last:
            last = each.at
            yield each


def _times(start: datetime, zone: ZoneInfo, rule: str, given: int) -> Iterator[Moment]:
    """The rule's times from `start` on, `given` of which came before."""
    parts = _parts(rule)
    count = int(parts.pop("COUNT", 0))
    until = start + AHEAD
    if "UNTIL" in parts:
        until = min(until, _until(parts.pop("UNTIL"), zone))
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    read: rrule = rrulestr(text, dtstart=start.replace(year=start.year + LATER))
    for number, found in enumerate(read, start=given + 1):
        local = found.replace(year=found.year - LATER)
        if local > until or (count and number > count):
            return
        yield Moment(instant(local, zone), local, number)


def _parts(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(";") if part]
    parts = {name: value for name, _, value in pairs}
    if len(parts) < len(pairs) or not all(parts.values()):
        raise _refused("rrule", "Must be a recurrence rule, such as FREQ=WEEKLY;BYDAY=MO,WE")
    return parts


def _check_part(name: str, value: str) -> None:
    """Raises Invalid for a part that is not known or cannot be so."""
    values = value.split(",")
    if name == "FREQ" or (name == "WKST" and value in ("MO", "SU")):
        return
    if name == "UNTIL":
        _until(value, ZoneInfo("UTC"))
    elif name == "BYDAY":
        if not all(_DAY.fullmatch(each) for each in values):
            raise _refused("rrule", "BYDAY must be days, such as MO,WE or -1FR")
    elif name in _RANGES:
        lowest, highest = _RANGES[name]
        is_in_range = all(
            _NUMBER.fullmatch(each) and lowest <= int(each) <= highest and (int(each) or lowest == 0) for each in values
        )
        if not is_in_range or (name in _SINGLE and len(values) > 1):
            raise _refused("rrule", f"{name} must be from {lowest} to {highest}")
    else:
        raise _refused("rrule", f"{name} is not supported")


def _check_spacing(parts: dict[str, str]) -> None:
    """Raises Invalid for a rule that would give times close to each other. It is the minutes that can."""
    minutes = sorted({int(each) for each in parts.get("BYMINUTE", "").split(",") if each})
    around = [*minutes, *(minute + 60 for minute in minutes[:1])]
    is_spread = all(later - earlier >= APART_MINUTES for earlier, later in pairwise(around))
    is_slow = parts["FREQ"] != "MINUTELY" or minutes or int(parts.get("INTERVAL", "1")) >= APART_MINUTES
    if not (is_spread and is_slow):
        raise _refused("rrule", f"Times must be at least {APART_MINUTES} minutes apart")


def _until(text: str, zone: ZoneInfo) -> datetime:
    """The last local time; a date is meant whole, and Z says that it is UTC. Raises Invalid."""
    matched = _UNTIL.fullmatch(text)
    if matched is None:
        raise _refused("rrule", "UNTIL must be a time, such as 20260401T000000Z")
    date, time, utc = matched.groups()
    try:
        read = datetime.strptime(date + (time or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - a local time
        return read.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0) if utc else read
    except (ValueError, OverflowError) as error:
        raise _refused("rrule", "UNTIL must be a time, such as 20260401T000000Z") from error


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _not_local() -> Invalid:
    return _refused("localTime", "Must be a local time without an offset, such as 2026-03-29T09:00:00")


def _refused(field: str, message: str) -> Invalid:
    return Invalid(fields=[FieldError(field, message)])
