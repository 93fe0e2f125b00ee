"""Which column of a file is what. Pure.

A mapping says so: from what we call it (`number`, `timeZone`, `consent`, or a variable's name) to the column's header.
What it does not say is known by the usual headers; every other column is a variable of its own name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.contact_import.limits import NAME_CHARACTERS

KNOWN: Mapping[str, tuple[str, ...]] = {
    "number": (
        *("phonenumber", "phone", "phoneno", "number", "mobilenumber", "mobile", "mobileno", "mobilephone"),
        *("contactnumber", "contactno", "telephone", "tel", "cellphone", "cell", "msisdn", "tophone"),
    ),
    "timezone": ("timezone", "tz"),
    "consent": ("consent", "optin", "hasconsent"),
}
"""Headers in any case and spelling, the likeliest first."""

_ALIASES = {"phone": "number", "phonenumber": "number"}
_UNSAFE = re.compile(r"[.${}\x00-\x1f]+")
"""What is not in a variable's name: the database and templates read these as more than letters."""


class Unsuited(ValueError):
    """These columns cannot be made contacts of; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make of a file. `region`: of numbers without their country. `consent`: of those no column speaks of.

    `time_zone`: of those no column speaks of and whose number may be in several. `asked`: variables as templates spell
    them. `required`: the variables that every contact must have.
    """

    region: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    asked: Sequence[str] = ()
    required: Sequence[str] = ()
    consent: bool = False
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of each part; `variables` are pairs of header and name, `required` names that must not be empty."""

    number: str
    time_zone: str | None
    consent: str | None
    variables: tuple[tuple[str, str], ...]
    required: tuple[str, ...]


def columns_of(header: Sequence[str], wanted: Wanted) -> Columns:
    """The columns of a file with these headers; raises Unsuited."""
    headers = [name for name in header if name]
    chosen = dict(_mapped(headers, wanted.mapping))
    for part, usual in KNOWN.items():
        if part not in chosen and (found := _known(usual, headers, set(chosen.values()))):
            chosen[part] = found
    if "number" not in chosen:
        raise Unsuited("No column holds telephone numbers")
    variables = tuple(_variables(headers, chosen, (*wanted.asked, *wanted.required)))
    names = [name for _, name in variables]
    if len(set(names)) < len(names):
        raise Unsuited("Two columns are one variable")
    if absent := [name for name in wanted.required if name not in names]:
        raise Unsuited("Missing columns: " + ", ".join(absent))
    return Columns(chosen["number"], chosen.get("timezone"), chosen.get("consent"), variables, tuple(wanted.required))


def plain(name: str) -> str:
    """A name without case, spaces and punctuation."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _mapped(headers: Sequence[str], mapping: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of part and header; a part of ours by its plain name, a variable by its own."""
    spelled = {plain(name): name for name in reversed(headers)}
    for part, column in mapping.items():
        found = column if column in headers else spelled.get(plain(column))
        if found is None:
            raise Unsuited(f"There is no column {column[:NAME_CHARACTERS]}")
        known = _ALIASES.get(plain(part), plain(part))
        yield (known if known in KNOWN else part), found


def _known(names: Sequence[str], headers: Sequence[str], taken: set[str]) -> str | None:
    by_name = {plain(header): header for header in reversed(headers) if header not in taken}
    return next((by_name[name] for name in names if name in by_name), None)


def _variables(headers: Sequence[str], chosen: Mapping[str, str], asked: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every column that is nothing else, and what is asked for, by the name it is asked for."""
    renamed = {header: part for part, header in chosen.items() if part not in KNOWN}
    spelled = {plain(name): name for name in reversed(asked) if name not in headers}
    parts = {header for part, header in chosen.items() if part in KNOWN} - renamed.keys()
    for header in headers:
        named = header if header in asked else spelled.get(plain(header))
        if named or header not in parts:
            yield header, _UNSAFE.sub("_", renamed.get(header, named or header))[:NAME_CHARACTERS]
