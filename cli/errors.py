"""The one error `callboard` shows a person: what is wrong, and which setting or command changes it."""

import re
from pathlib import Path

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class StartFailed(Exception):
    """Something needed cannot run; the message is one line and names the setting to change."""


def log_tail(path: Path, *, limit: int = 200) -> str:
    """The last line of a child's log that says something, for an error message."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "no output"
    said = [plain for line in lines if (plain := COLOURS.sub("", line).strip())]
    return said[-1][:limit] if said else "no output"
