"""Texts with variables: `Dear {customer_name}, ...`. Pure.

A variable is a name between braces: letters, digits and underscores, not beginning with a digit.
"""

import re
from collections.abc import Collection, Mapping

from models.errors import FieldError, Invalid

Value = str | int | float | None
Values = Mapping[str, Value]
"""What is known about somebody, by column. None or blank: not known."""

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_BRACE = re.compile(r"[{}]")
_SHOWN = 20
"""Characters of a text that a message about it quotes."""


def variables(text: str) -> tuple[str, ...]:
    """The names a text uses, each once, in order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def check_template(text: str, field: str) -> None:
    """Raises Invalid when a brace belongs to no variable: it would be sent as it stands."""
    # Replaced by as much of something else, so that what is found is where it is in the text.
    rest = _VARIABLE.sub(lambda found: " " * len(found[0]), text)
    stray = _BRACE.search(rest)
    if stray is not None:
        quoted = text[stray.start() : stray.start() + _SHOWN]
        problem = f'"{quoted}" is no variable: write {{name}} with letters, digits and underscores'
        raise Invalid(fields=[FieldError(field, problem)])


def check_known(text: str, known: Collection[str], field: str) -> None:
    """Raises Invalid when a text uses variables beside the known ones."""
    unknown = [name for name in variables(text) if name not in known]
    if unknown:
        choice = ", ".join(sorted(known)) or "none"
        raise Invalid(fields=[FieldError(field, f"{{{name}}} is not known; known are: {choice}") for name in unknown])


def filled(text: str, values: Values, field: str = "variables") -> str:
    """The text with values in place of its variables. Braces inside values stay as they are.

    Raises Invalid naming every variable without a value: nobody is to read `Dear {customer_name}`, or `Dear ,`.
    """
    known = {name: _written(values.get(name)) for name in variables(text)}
    missing = [name for name, value in known.items() if not value]
    if missing:
        raise Invalid(fields=[FieldError(f"{field}.{name}", f"{{{name}}} has no value") for name in missing])
    return _VARIABLE.sub(lambda found: known[found[1]], text)


def _written(value: Value) -> str:
    return "" if value is None else str(value).strip()
