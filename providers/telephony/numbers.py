"""Telephone numbers as carriers write them, in E.164. Pure."""

import phonenumbers

DEFAULT_REGION = "IN"


def to_e164(raw: str, region: str = DEFAULT_REGION) -> str:
    """`+919876543210` out of `09876543210`, `+91 98765 43210` or `919876543210`; what is no number stays as it is.

    `region` is where a number without a country code is at home.
    """
    if any(character.isalpha() for character in raw):  # a masked number, which the parser would read as keypad letters
        return raw
    as_written, with_plus = _parsed(raw, region), _parsed(f"+{raw.strip()}", region)
    for number in (as_written, with_plus):  # some callbacks leave out the plus of a full number
        if number is not None and phonenumbers.is_valid_number(number):
            return _formatted(number)
    if as_written is not None and phonenumbers.is_possible_number(as_written):
        return _formatted(as_written)
    return raw


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _formatted(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
