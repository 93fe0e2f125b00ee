"""The one error `callboard` shows a person: what is wrong, and which setting or command changes it."""

from pathlib import Path


class StartFailed(Exception):
    """Something needed cannot run; the message is one line and names the setting to change."""


def log_tail(path: Path, *, limit: int = 200) -> str:
    """The last line of a child's log that says something, for an error message."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "no output"
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:limit] if said else "no output"
