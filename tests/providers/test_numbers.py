"""Telephone numbers in E.164."""

import pytest

from providers.telephony.numbers import to_e164


@pytest.mark.parametrize(
    "raw", ["09876543210", "9876543210", "919876543210", "+919876543210", " +91 98765-43210", "0091 98765 43210"]
)
def test_every_spelling_of_an_indian_number_is_the_same_number(raw: str) -> None:
    assert to_e164(raw) == "+919876543210"


@pytest.mark.parametrize(("raw", "number"), [("08047491899", "+918047491899"), ("+12025550123", "+12025550123")])
def test_landlines_and_other_countries_keep_their_place(raw: str, number: str) -> None:
    assert to_e164(raw) == number


def test_a_foreign_number_without_its_plus_is_still_recognised() -> None:
    assert to_e164("12025550123") == "+12025550123"


@pytest.mark.parametrize("raw", ["", "+", "anonymous", "0XXXXX38847", "sip:bot@example.com", "1" * 300])
def test_what_is_no_number_stays_as_it_is(raw: str) -> None:
    assert to_e164(raw) == raw
