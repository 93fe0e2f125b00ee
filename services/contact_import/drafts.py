"""Contacts out of rows, in batches, and what is wrong with the rows that are none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from services.contact_import.columns import Columns, Unsuited, Wanted, columns_of
from services.contact_import.csv_file import csv_rows
from services.contact_import.json_file import json_rows
from services.contact_import.limits import ROWS, VALUE_CHARACTERS, Kind, Unreadable
from services.contact_import.numbers import dialable, e164_of, zone_named, zone_of
from services.contact_import.rows import Row
from services.contact_import.xlsx_file import xlsx_rows

BATCH = 500

_YES = frozenset({"yes", "y", "true", "1", "x", "on"})
_NO = frozenset({"", "no", "n", "false", "0", "off"})
_FILES = {"csv": csv_rows, "xlsx": xlsx_rows, "json": json_rows}


@dataclass(frozen=True, slots=True)
class Draft:
    """A contact to be; `number` is E.164, `time_zone` an IANA name or None where it is not known for certain."""

    line: int
    number: str
    time_zone: str | None
    consent: bool
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no contact. The reason repeats nothing of the row: whose it is, is in the file."""

    line: int
    reason: str


@dataclass(slots=True)
class Batch:
    """The next rows. `stopped`: the file cannot be read any further."""

    drafts: list[Draft] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    stopped: Unreadable | None = None

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return len(self.drafts) + len(self.bad)


def batches(file: BinaryIO, kind: Kind, wanted: Wanted, size: int = BATCH) -> Iterator[Batch]:
    """A file's rows, `size` at a time; after a batch that is `stopped` comes none. Never raises Unreadable."""
    batch, read = Batch(), 0
    try:
        for result in _results(_FILES[kind](file), wanted, has_header=kind != "json"):
            if read == ROWS:
                raise Unreadable(f"There are more than {ROWS} rows", result.line)
            if isinstance(result, Draft):
                batch.drafts.append(result)
            else:
                batch.bad.append(result)
            read += 1
            if batch.rows == size:
                yield batch
                batch = Batch()
    except Unreadable as error:
        batch.stopped = error
    if batch.rows or batch.stopped:
        yield batch


def _results(rows: Iterator[Row], wanted: Wanted, *, has_header: bool) -> Iterator[Draft | BadRow]:
    headers: tuple[str, ...] = ()
    columns: Columns | None = None
    for row in rows:
        if row.problem is not None:
            yield BadRow(row.line, row.problem)
            continue
        if columns is None or headers != tuple(row.cells):
            headers = tuple(row.cells)
            try:
                columns = columns_of(headers, wanted)
            except Unsuited as error:
                if has_header:  # then no other row is any better
                    raise Unreadable(str(error)) from error
                columns = None
                yield BadRow(row.line, str(error))
                continue
        yield _draft(row, columns, wanted)


def _draft(row: Row, columns: Columns, wanted: Wanted) -> Draft | BadRow:
    cells = row.cells
    variables = {name: cells[column] for column, name in columns.variables}
    number = dialable(cells[columns.number], wanted.region) if cells[columns.number] else None
    zone_text = cells[columns.time_zone] if columns.time_zone else ""
    consent = _consent(cells[columns.consent]) if columns.consent else wanted.consent
    if number is None:
        return BadRow(row.line, "Not a telephone number" if cells[columns.number] else "No telephone number")
    zone = zone_named(zone_text) if zone_text else zone_of(number) or wanted.time_zone
    if zone_text and zone is None:
        return BadRow(row.line, "Unknown time zone")
    if consent is None:
        return BadRow(row.line, "Consent is neither yes nor no")
    if any(len(value) > VALUE_CHARACTERS for value in variables.values()):
        return BadRow(row.line, f"A value is longer than {VALUE_CHARACTERS} characters")
    if missing := [name for name in columns.required if not variables[name]]:
        return BadRow(row.line, "Empty: " + ", ".join(missing))
    return Draft(row.line, e164_of(number), zone, consent, variables)


def _consent(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _YES else False if word in _NO else None
