"""Rows of a spreadsheet's first sheet, with a header. Its archive is measured before anything reads it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, BinaryIO
from zipfile import ZipFile

from openpyxl import load_workbook  # type: ignore[import-untyped]

from services.contact_import.limits import ROWS, Unreadable
from services.contact_import.rows import Row, header_of, row_of
from services.contact_import.xlsx_size import check


def xlsx_rows(file: BinaryIO) -> Iterator[Row]:
    """The rows under the first sheet's header; a row's line is its number there. Raises Unreadable."""
    reading = _rows(file)
    while True:
        try:
            row = next(reading, None)
        except Unreadable:
            raise
        except Exception as error:  # the library promises nothing about what it raises on a broken file
            raise Unreadable("This is no spreadsheet that can be read (.xlsx)") from error
        if row is None:
            return
        yield row


def _rows(file: BinaryIO) -> Iterator[Row]:
    file.seek(0)
    with ZipFile(file) as archive:
        check(archive)
    file.seek(0)
    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # what a sheet says of its size need not be so
        yield from _below_header(sheet.iter_rows(values_only=True))
    finally:
        workbook.close()


def _below_header(rows: Iterator[Sequence[Any]]) -> Iterator[Row]:
    header: list[str] = []
    for line, values in enumerate(rows, start=1):
        if line > ROWS + 1:
            raise Unreadable(f"There are more than {ROWS} rows", line)
        if not header:
            header = header_of(line, [_text(value) for value in values])
        elif row := row_of(line, header, [_text(value) for value in values]):
            yield row


def _text(value: Any) -> str:
    """A cell as a person would write it: spreadsheets take telephone numbers for numbers and keep days as midnights."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
