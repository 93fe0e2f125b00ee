"""How large files and what is in them may be, and what is said of a file that cannot be read."""

from typing import Literal

Kind = Literal["csv", "xlsx", "json"]
"""What a file is. "csv" takes any of the usual separators, "json" a list, `{"contacts": [...]}` or a value a line."""

ROWS = 1_000_000
COLUMNS = 200
LINE_CHARACTERS = 1 << 20
"""Of a line of text, and of one value in a JSON list."""
VALUE_CHARACTERS = 2_000
"""Of a variable: longer ones belong into no prompt."""
NAME_CHARACTERS = 100


class Unreadable(Exception):
    """The file cannot be read, or not beyond `line`; `reason` is for whoever made it."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line

    @property
    def message(self) -> str:
        """The reason, and where."""
        return self.reason if self.line is None else f"Line {self.line}: {self.reason}"
