"""One row of a file, whatever the file is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.contact_import.limits import COLUMNS, Unreadable


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says, by column; texts without space around them. `problem`: why it cannot be trusted."""

    line: int
    cells: Mapping[str, str]
    problem: str | None = None


def header_of(line: int, cells: Sequence[str]) -> list[str]:
    """The columns' names; raises Unreadable when there are too many, or the same one twice. Some may be empty."""
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > COLUMNS:
        raise Unreadable(f"There are more than {COLUMNS} columns", line)
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise Unreadable("Two columns have the same name", line)
    return names


def row_of(line: int, header: Sequence[str], cells: Sequence[str]) -> Row | None:
    """The row under a header; None when nothing is in it. Cells that are missing at its end are empty.

    One with more cells than columns is likely to have a separator inside a value, so that none can be told any more.
    """
    texts = [cell.strip() for cell in cells]
    if not any(texts):
        return None
    surplus = any(texts[len(header) :])
    texts += [""] * (len(header) - len(texts))
    return Row(line, dict(zip(header, texts, strict=False)), "More cells than columns" if surplus else None)
