"""The data directory belongs to one `callboard up` at a time, its children included."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import StartFailed

LEFTOVERS_S = 20.0
"""How long the children of a killed run may take to end."""


@contextmanager
def claim(data_dir: Path) -> Iterator[int]:
    """Hold the directory; the descriptor is for the guards of children, who keep the claim while they live."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartFailed(f"{data_dir}: {error.strerror}; set CALLBOARD_DATA_DIR") from error
    try:
        _lock(descriptor, data_dir)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def holder(data_dir: Path) -> int | None:
    """The process that holds the directory, if any does."""
    try:
        descriptor = os.open(data_dir / "lock", os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _try(descriptor) else _written(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + LEFTOVERS_S
    while not _try(descriptor):
        pid = _written(descriptor)
        if Path(f"/proc/{pid}").exists() or time.monotonic() > deadline:
            raise StartFailed(f"{data_dir} is in use by process {pid}: stop it, or set CALLBOARD_DATA_DIR")
        time.sleep(0.1)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written(descriptor: int) -> int:
    text = os.pread(descriptor, 20, 0).decode()
    return int(text) if text.isdigit() else 0
