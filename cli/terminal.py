"""The few calm lines `callboard` prints. Colour only on a terminal, and never against NO_COLOR."""

import os
import sys
from typing import TextIO

from cli.child import Child
from models.settings import Settings

NAME_WIDTH = 10


class Terminal:
    """Prints what a person running `callboard up` wants to know."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout
        self._colour = self._output.isatty() and "NO_COLOR" not in os.environ

    def heading(self, text: str) -> None:
        """The first line of a part."""
        self._print(self._paint("1", text))

    def started(self, child: Child, *, took_s: float) -> None:
        """A child became ready."""
        self.row("32", child.name, f"ready in {took_s:4.1f} s", child.place)

    def ended(self, child: Child, *, status: str) -> None:
        """A child ended without being asked to."""
        self.row("33", child.name, status, "")

    def external(self, name: str, place: str) -> None:
        """A service that a setting points to."""
        self.row("32", name, "reached", place)

    def error(self, text: str) -> None:
        """The one line that says why it ends."""
        self._print(self._paint("31", "error: ") + text)

    def note(self, text: str) -> None:
        """A line of its own."""
        self._print(text)

    def banner(self, settings: Settings) -> None:
        """Where everything is, once it runs."""
        self._print("")
        self._print(f"{self._paint('1', 'Callboard is up')}   {self._paint('1;36', settings.base_url)}")
        self._print(f"  API        {settings.base_url}/api/v1, described at {settings.base_url}/api/v1/docs")
        self._print(f"  data, logs {settings.callboard_data_dir}")
        self._print("  Ctrl-C stops everything.")

    def row(self, colour: str, name: str, state: str, place: str) -> None:
        """One aligned line: who, how it is, where."""
        self._print(
            f"  {self._paint(colour, name.ljust(NAME_WIDTH))} {state.ljust(16)} {self._paint('2', place)}".rstrip()
        )

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour and text else text

    def _print(self, line: str) -> None:
        print(line, file=self._output, flush=True)
