"""A table whose rows are printed as they are made: columns of fixed width, so that none has to wait for the others."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what is above it, and how wide it is, at least; text is on the left, numbers are on the right."""

    title: str
    width: int
    is_text: bool = False

    def cell(self, content: object) -> str:
        """The content at this column's width; longer content is not cut."""
        text = "-" if content is None else f"{content:.2f}" if isinstance(content, float) else str(content)
        return f"{text:<{self.width}}" if self.is_text else f"{text:>{self.width}}"


class Table:
    """Prints its head at once and each row when it is given."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._line([column.title for column in columns])
        self._line(["-" * max(column.width, len(column.title)) for column in columns])

    def row(self, *cells: object) -> None:
        """One row, a cell for each column; None prints as a dash, floats with two decimals."""
        self._line(cells)

    def _line(self, cells: Sequence[object]) -> None:
        pairs = zip(self._columns, cells, strict=True)
        print("  ".join(self._fitted(column).cell(cell) for column, cell in pairs).rstrip(), flush=True)

    def _fitted(self, column: Column) -> Column:
        return Column(column.title, max(column.width, len(column.title)), column.is_text)
