"""Telephone numbers of clients."""

import pytest

from models.errors import Invalid
from services.numbers import e164


@pytest.mark.parametrize("text", ["+919876543210", "+91 98765 43210", "+91-98765-43210", " +91 (98765) 43210 "])
def test_a_number_may_be_written_in_many_ways(text: str) -> None:
    assert e164(text, "toPhone") == "+919876543210"


@pytest.mark.parametrize("text", ["", "9876543210", "+1800FLOWERS", "+91", "+999123456789", "tel:+919876543210", "\0"])
def test_what_names_no_phone_in_the_world_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        e164(text, "toPhone")
    assert [refused.field for refused in caught.value.fields] == ["toPhone"]
