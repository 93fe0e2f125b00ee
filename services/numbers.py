"""Telephone numbers. Pure."""

import phonenumbers

from models.errors import FieldError, Invalid


def e164(text: str, field: str) -> str:
    """The number as +CCNNN...; raises Invalid, naming `field`, when it is not an international number.

    Possible rather than assigned: numbering plans change more often than the library's tables, and the carrier knows.
    """
    refusal = Invalid(fields=[FieldError(field, "Must be an international phone number, such as +14155550123")])
    if any(character.isalpha() for character in text):  # the parser would read them as keypad letters
        raise refusal
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise refusal from error
    if not phonenumbers.is_possible_number(number):
        raise refusal
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
