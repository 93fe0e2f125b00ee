"""Rows of text with separators: commas, semicolons, tabs or bars, with a header."""

import csv
from collections.abc import Iterator
from io import TextIOBase
from typing import BinaryIO

from services.contact_import.limits import LINE_CHARACTERS, Unreadable
from services.contact_import.rows import Row, header_of, row_of
from services.contact_import.text_file import decoded

SEPARATORS = ",;\t|"
_SAID = "sep="
"""A first line of `sep=;` is how one spreadsheet program tells another."""


def csv_rows(file: BinaryIO) -> Iterator[Row]:
    """The rows under the header; a row's line is the one it begins in. Raises Unreadable."""
    with decoded(file) as text:
        lines = _lines(text)
        first = next(lines, "")
        skipped = 0
        separator = _separator(first)
        if first.lower().startswith(_SAID) and len(first.strip()) == len(_SAID) + 1:
            separator, first, skipped = first[len(_SAID)], next(lines, ""), 1
        yield from _records(_again(first, lines), separator, skipped)


def _records(lines: Iterator[str], separator: str, skipped: int) -> Iterator[Row]:
    records = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        header = header_of(skipped + 1, next(records, []))
        line = skipped + records.line_num + 1
        for cells in records:
            if row := row_of(line, header, cells):
                yield row
            line = skipped + records.line_num + 1
    except csv.Error as error:
        reason = "This cannot be read; a quotation mark may be missing"
        raise Unreadable(reason, skipped + records.line_num) from error


def _lines(text: TextIOBase) -> Iterator[str]:
    number = 0
    while line := text.readline(LINE_CHARACTERS):
        number += 1
        if len(line) == LINE_CHARACTERS:
            raise Unreadable("This line is too long", number)
        yield line


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


def _separator(header: str) -> str:
    """The one that divides the header into most columns; the comma where none does."""
    return max(SEPARATORS, key=lambda separator: len(next(csv.reader([header], delimiter=separator), [])))
