"""A call's variables in its agent's texts."""

import pytest

from models.conversation import Voicemail
from models.errors import Invalid
from services.call_texts import variables_of, worded
from tests.documents import CONFIG

PROMPT = "Talk to {customer_name} about the {product}, and answer in JSON like {} or {1}."
TEXTS = CONFIG.model_copy(
    update={
        "prompt": PROMPT,
        "first_message": "Hello {customer_name}!",
        "voicemail": Voicemail(action="leave-message", message="Please call {shop} back."),
    }
)
VALUES = {"customer_name": "Asha", "product": "loan", "shop": "Acme", "unused": "x"}


def test_every_text_that_is_said_or_told_gets_its_values() -> None:
    made = worded(TEXTS, VALUES)
    assert made.prompt == "Talk to Asha about the loan, and answer in JSON like {} or {1}."
    assert made.first_message == "Hello Asha!"
    assert made.voicemail == Voicemail(action="leave-message", message="Please call Acme back.")
    kept = {"prompt", "first_message", "voicemail"}
    assert made.model_dump(exclude=kept) == TEXTS.model_dump(exclude=kept)


def test_the_variables_of_all_texts_are_named_once() -> None:
    assert variables_of(TEXTS) == ("customer_name", "product", "shop")
    assert variables_of(CONFIG) == ()


def test_texts_without_variables_stay_as_they_are() -> None:
    assert worded(CONFIG, VALUES) is CONFIG


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        worded(TEXTS, {"customer_name": "Asha", "shop": " "})
    assert [each.field for each in refused.value.fields] == ["variables.product", "variables.shop"]


@pytest.mark.parametrize("size", [1_001, 5_001])
def test_a_text_that_becomes_too_long_to_be_stored_is_refused(size: int) -> None:
    with pytest.raises(Invalid) as refused:
        worded(TEXTS, {**VALUES, "customer_name": "x" * size})
    fields = refused.value.fields
    assert {each.field for each in fields} == {"variables"}
    assert any("first_message" in each.message or "firstMessage" in each.message for each in fields)
