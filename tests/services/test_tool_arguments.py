"""What the model wrote as arguments, checked."""

from typing import Any

import pytest

from providers.roles import ToolCall, ToolSpec
from services.tool_arguments import MAX_CHARS, Problem, digits_of, parse

BOOK = ToolSpec(
    "book",
    "Books.",
    {
        "type": "object",
        "properties": {
            "day": {"type": "string", "pattern": "^[A-Z][a-z]+day$"},
            "guests": {"type": "integer", "minimum": 1},
        },
        "required": ["day"],
        "additionalProperties": False,
    },
)
ANY = ToolSpec("any", "Anything.", {"type": "object"})


def parsed(arguments: str, name: str = "book") -> dict[str, Any] | Problem:
    return parse(ToolCall("call_1", name, arguments), [BOOK, ANY])


def test_good_arguments_are_an_object() -> None:
    assert parsed('{"day": "Monday", "guests": 2}') == {"day": "Monday", "guests": 2}
    assert parsed("", "any") == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{}", '"day" is a required property'),
        ('{"day": "monday"}', "day: "),
        ('{"day": "Monday", "guests": 0}', "guests: 0 is less than the minimum of 1"),
        ('{"day": "Monday", "table": 4}', "table"),
        ('{"day": 1, "guests": "x", "table": 4, "more": 5}', "; "),
        ('{"day": "Mon', "must be one JSON object: "),
        ("[1]", "must be one JSON object."),
        ('{"guests": NaN}', "NaN is not a number"),
        ('{"day": "\\ud800"}', "must be one JSON object"),
        ("[" * 9_000, "must be one JSON object"),
        ('{"day": "' + "x" * MAX_CHARS + '"}', "longer than"),
    ],
)
def test_a_problem_is_told_in_a_sentence(arguments: str, words: str) -> None:
    problem = parsed(arguments)
    assert isinstance(problem, Problem)
    assert words in problem.text
    assert problem.text.endswith(".")
    assert len(problem.text) < 800


def test_half_a_character_is_no_argument_of_any_function() -> None:
    assert isinstance(parsed('{"x": "\\ud800"}', "any"), Problem)


def test_an_unknown_function_is_answered_with_those_there_are() -> None:
    problem = parsed("{}", "buy")
    assert isinstance(problem, Problem)
    assert problem.text == "There is no function 'buy'; there are: book, any."
    assert parse(ToolCall("1", "buy", ""), []) == Problem("There is no function 'buy'; there are: none.")


def test_a_pattern_cannot_take_for_ever() -> None:
    evil = ToolSpec("evil", "", {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}})
    assert isinstance(parse(ToolCall("1", "evil", '{"a": "' + "a" * 10_000 + '!"}'), [evil]), Problem)


@pytest.mark.parametrize(
    ("digits", "keys"), [("1", "1"), ("4021#", "4021#"), ("1 (2)-3 * b", "123*B"), ("", ""), ("one", "")]
)
def test_keys_are_what_a_keypad_has(digits: str, keys: str) -> None:
    assert digits_of({"digits": digits}) == keys


def test_no_digits_are_none() -> None:
    assert digits_of({}) == ""
