"""What the model wrote as a function's arguments, checked against the function's JSON Schema. Pure.

The validator is Rust's: patterns are matched in linear time, and a schema cannot make it fetch anything.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from providers.roles import ToolCall, ToolSpec

MAX_CHARS = 16_384
DTMF_DIGITS = "0123456789*#ABCD"

_TOLD = 3
_MESSAGE_CHARS = 200
_UNREADABLE = "The arguments must be one JSON object"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a call is not carried out, in a sentence for the model, which may then call again. It may quote arguments."""

    text: str


def parse(call: ToolCall, specs: Sequence[ToolSpec]) -> dict[str, Any] | Problem:
    """The arguments of a call of one of these functions, or what is wrong with it. No arguments are an empty object."""
    spec = next((each for each in specs if each.name == call.name), None)
    if spec is None:
        return Problem(f"There is no function {call.name[:64]!r}; there are: {_names(specs)}.")
    if len(call.arguments) > MAX_CHARS:
        return Problem(f"The arguments are longer than {MAX_CHARS} characters.")
    try:
        arguments = json.loads(call.arguments or "{}", parse_constant=_no_number)
        if not isinstance(arguments, dict):
            return Problem(f"{_UNREADABLE}.")
        json.dumps(arguments, ensure_ascii=False).encode()  # half a character is valid JSON, but cannot be sent
        problems = list(islice(validator(spec.parameters).iter_errors(arguments), _TOLD))
    except (ValueError, RecursionError) as error:  # half a JSON text, half a character, too deep
        return Problem(f"{_UNREADABLE}: {str(error)[:_MESSAGE_CHARS]}.")
    return Problem(f"The arguments are wrong: {'; '.join(map(_said, problems))}.") if problems else arguments


def validator(schema: Mapping[str, object]) -> Draft202012Validator:
    """A checker of arguments; raises ValueError (ValidationError is one) for what is no JSON Schema, Draft 2020-12."""
    return Draft202012Validator(dict(schema), pattern_options=RegexOptions(), offline=True)


def digits_of(arguments: Mapping[str, Any]) -> str:
    """The keys to press, of checked arguments of `send_dtmf`: 0-9, *, # and A-D; what people put between is dropped."""
    return re.sub(f"[^{re.escape(DTMF_DIGITS)}]", "", str(arguments.get("digits", "")).upper())


def _said(problem: ValidationError) -> str:
    place = ".".join(map(str, problem.instance_path))
    return f"{place}: {problem.message}"[:_MESSAGE_CHARS] if place else problem.message[:_MESSAGE_CHARS]


def _names(specs: Sequence[ToolSpec]) -> str:
    return ", ".join(spec.name for spec in specs) or "none"


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number")
