"""What a configuration's tools must be before they are stored. Pure.

Checked when they are saved, not in the model: whoever reads a call or an agent should not pay for it, and a stricter
rule must not make stored ones unreadable.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from bson import encode
from bson.errors import BSONError

from models.agent import AgentConfig
from models.errors import FieldError, Invalid
from models.tool import BuiltIn, HttpTool, Tools
from providers.tools.addresses import AddressGuard
from providers.tools.http import RESERVED_HEADERS
from services.tool_arguments import validator

SCHEMA_BYTES = 8_192
HEADER_CHARS = 1_000

_BUILT_IN = frozenset(get_args(BuiltIn))
_NOT_TAKEN = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor"})
"""A schema that refers to itself can be made to take for ever, one that refers to others has to be fetched."""


def check_tools(config: AgentConfig, guard: AddressGuard) -> None:
    """Raises Invalid with every refused field, named from `config` on."""
    problems = [FieldError(f"config.tools.{field}", problem) for field, problem in _problems(config.tools, guard)]
    if problems:
        raise Invalid(fields=problems)


def _problems(tools: Tools, guard: AddressGuard) -> Iterator[tuple[str, str]]:
    if "transfer_call" in tools.built_in and not tools.transfer_to:
        yield "transferTo", "is needed for transfer_call"
    taken = set(_BUILT_IN)
    for index, function in enumerate(tools.functions):
        if function.name in taken:
            problem = "is a built-in function's" if function.name in _BUILT_IN else "is another function's"
            yield f"functions.{index}.name", problem
        taken.add(function.name)
        for field, problem in _function_problems(function, guard):
            yield f"functions.{index}.{field}", problem


def _function_problems(function: HttpTool, guard: AddressGuard) -> Iterator[tuple[str, str]]:
    if problem := _schema_problem(function.parameters):
        yield "parameters", problem
    try:
        guard.check_url(function.url)
    except Invalid as error:
        yield "url", error.message
    lower = [name.lower() for name in function.headers]
    for name, value in function.headers.items():
        if name.lower() in RESERVED_HEADERS:
            yield f"headers.{name}", "is set by the connection itself"
        elif lower.count(name.lower()) > 1:
            yield f"headers.{name}", "is there twice"
        elif len(value) > HEADER_CHARS:
            yield f"headers.{name}", f"is longer than {HEADER_CHARS} characters"


def _schema_problem(schema: Mapping[str, Any]) -> str | None:
    """Why it cannot be a function's `parameters`; None: it can."""
    try:
        encode(schema)  # JSON allows more than a document can hold: huge integers, NUL in names, half characters
        size = len(json.dumps(schema, ensure_ascii=False).encode())
    except (BSONError, OverflowError, ValueError, RecursionError):
        return "holds something that cannot be stored"
    if size > SCHEMA_BYTES:
        return f"is larger than {SCHEMA_BYTES} bytes"
    if schema.get("type") != "object":
        return 'must be the JSON Schema of an object: {"type": "object", ...}'
    if found := next(_keys(schema, _NOT_TAKEN), None):
        return f"must not use {found}: write the schema out"
    try:
        validator(schema)
    except ValueError as error:
        return f"is not a JSON Schema (Draft 2020-12): {str(error).splitlines()[0][:200]}"
    return None


def _keys(value: object, wanted: frozenset[str]) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (key for key in value if key in wanted)
        for each in value.values():
            yield from _keys(each, wanted)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each, wanted)
