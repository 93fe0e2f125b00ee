"""Made-up contact files, the same ones at every run."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from openpyxl import Workbook  # type: ignore[import-untyped]

from services.contact_import.limits import Kind

HEADER = ("Phone Number", "customer_name", "City", "EMI Amount", "due_date", "consent")
KINDS: tuple[Kind, ...] = get_args(Kind)
BAD_EVERY = 1_000
"""A row whose number is none, and another whose number was there before."""


def contact_file(folder: Path, kind: Kind, rows: int) -> Path:
    """A file of so many rows under `folder`."""
    path = folder / f"contacts-{rows}.{kind}"
    match kind:
        case "csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(HEADER)
                writer.writerows(_rows(rows))
        case "xlsx":
            workbook = Workbook(write_only=True)
            sheet = workbook.create_sheet()
            sheet.append(HEADER)
            for row in _rows(rows):
                sheet.append(row)
            workbook.save(path)
        case "json":
            with path.open("w", encoding="utf-8") as file:
                for at, row in enumerate(_rows(rows)):
                    file.write((",\n" if at else '{"contacts": [') + json.dumps(dict(zip(HEADER, row, strict=True))))
                file.write("]}")
    return path


def bad_rows(rows: int) -> int:
    """How many rows of a file have no number."""
    return rows // BAD_EVERY


def _rows(rows: int) -> Iterator[tuple[str, ...]]:
    for at in range(1, rows + 1):
        number = f"+9198{at:08d}" if at % 3 else f"+44207{at:07d}"
        if at % BAD_EVERY == 0:
            number = "unknown"
        elif at % BAD_EVERY == 1 and at > 1:
            number = f"+9198{2:08d}"
        yield number, f"Customer {at}", f"City {at % 500}", str(1_000 + at % 9_000), "2026-02-05", "yes"
