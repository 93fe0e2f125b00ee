"""Variables of templates: found, checked, filled."""

import pytest

from models.errors import Invalid
from services.templates import Values, check_known, check_template, filled, variables

EMI = "Dear {customer_name}, your EMI of INR {amount} is due. Pay {amount} here: {link}"


def test_variables_are_named_once_in_order() -> None:
    assert variables(EMI) == ("customer_name", "amount", "link")
    assert variables("No variables, no {1st}, no {a b}, no {}, no {é}.") == ()


def test_a_text_is_filled() -> None:
    values: Values = {"customer_name": " Asha ", "amount": 1500, "link": "https://a.example/{x}", "unused": None}
    assert filled(EMI, values) == "Dear Asha, your EMI of INR 1500 is due. Pay 1500 here: https://a.example/{x}"


def test_a_value_is_not_filled_again() -> None:
    assert filled("{a} {b}", {"a": "{b}", "b": "x"}) == "{b} x"


def test_zero_is_a_value() -> None:
    assert filled("{due}", {"due": 0}) == "0"


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_every_variable_without_a_value_is_named(blank: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        filled(EMI, {"customer_name": "Asha", "amount": blank})
    assert [each.field for each in refused.value.fields] == ["variables.amount", "variables.link"]


@pytest.mark.parametrize("text", ["{customer name}", "Dear {", "a } b", "{{name}}", "{name", "{}", "{1st}", "{é}"])
def test_a_brace_that_belongs_to_no_variable_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_template("Hello {ok}! " + text, "content")
    (problem,) = refused.value.fields
    assert problem.field == "content"
    assert "is no variable" in problem.message


def test_the_refusal_quotes_the_place() -> None:
    with pytest.raises(Invalid) as refused:
        check_template("{customer_name}, {loan no} is due", "content")
    assert '"{loan no} is due"' in refused.value.fields[0].message


@pytest.mark.parametrize("text", [EMI, "plain", "{a}{b}", "{" + "x" * 64 + "}"])
def test_a_proper_template_passes(text: str) -> None:
    check_template(text, "content")


def test_variables_beside_the_known_ones_are_refused() -> None:
    check_known(EMI, {"customer_name", "amount", "link", "more"}, "content")
    with pytest.raises(Invalid) as refused:
        check_known(EMI, ["link", "customer_name"], "content")
    (problem,) = refused.value.fields
    assert (problem.field, problem.message) == ("content", "{amount} is not known; known are: customer_name, link")
