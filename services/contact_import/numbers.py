"""Telephone numbers as people keep them in lists, and the time of day where they ring."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    parse,
    timezone,
)

_WEEKS = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(weeks=week) for week in range(52 * 12)]
"""When clocks are compared: rules that differ at all differ in one of these weeks."""


def dialable(text: str, region: str | None) -> PhoneNumber | None:
    """The number that can be dialled from anywhere; None when the text is none.

    A number without its country is of `region` ("IN"). Without a region it has to begin with the country's code, with a
    plus, zeros or nothing before it: a spreadsheet that takes numbers for numbers loses the plus. With a region, what
    is no number there is refused rather than taken for one of another country: a typing error would call a stranger.
    """
    if any(character.isalpha() for character in text):  # the parser would read them as keypad letters
        return None
    if region is None and not text.lstrip().startswith(("+", "\uff0b")):
        text = "+" + text.lstrip().removeprefix("00")
    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    return number if is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE else None


def e164_of(number: PhoneNumber) -> str:
    """As +CCNNN..."""
    return format_number(number, PhoneNumberFormat.E164)


def zone_of(number: PhoneNumber) -> str | None:
    """The IANA name of the time zone the number is in; None when it can be in several whose clocks differ.

    Of several whose clocks agree, as Rome's and the Vatican's do, it is the first.
    """
    return _agreed(tuple(timezone.time_zones_for_number(number)))


def zone_named(text: str) -> str | None:
    """The IANA name in its own spelling; None for what is no time zone."""
    return _zones().get(text.casefold())


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones()}


@cache
def _agreed(zones: tuple[str, ...]) -> str | None:
    known = [zone for zone in map(zone_named, zones) if zone is not None]
    if not known or len(known) < len(zones):
        return None
    clocks = {tuple(week.astimezone(ZoneInfo(zone)).utcoffset() for week in _WEEKS) for zone in known}
    return known[0] if len(clocks) == 1 else None
