"""The product's processes, found below this test session's own, to be killed or stopped under live calls."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

CALL_ACTOR = "ray::CallSession"
POOL = "ray::CallPool"
LEDGER_WRITER = "ray::LedgerActor"
SPEECH_TO_TEXT = "ray::SpeechToText"
REPLICA = "ray::ServeReplica:callboard"


def processes(title: str) -> list[psutil.Process]:
    """Those of this test session whose title begins so."""
    return list(_titled(title))


def is_gone(process: psutil.Process) -> bool:
    """Whether it runs no more, reaped or not; another process may have its number by now."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def carrying(recording: Path) -> psutil.Process:
    """The call actor that has a call: the one that writes its recording, and is not frozen. Raises LookupError."""
    for process in processes(CALL_ACTOR):
        with contextlib.suppress(psutil.Error):  # it is ending by itself
            is_writing = any(Path(file.path) == recording for file in process.open_files())
            if is_writing and process.status() != psutil.STATUS_STOPPED:
                return process
    raise LookupError(f"no call actor writes {recording.name}")


def relaying(actor: psutil.Process) -> psutil.Process:
    """The Serve replica that brings a call actor its carrier's messages.

    It is connected to a port of the actor's that Ray, and so the pool, knows nothing of. Raises LookupError.
    """
    known = {each.raddr.port for pool in processes(POOL) for each in pool.net_connections("tcp") if each.raddr}
    listening = {each.laddr.port for each in actor.net_connections("tcp") if each.status == psutil.CONN_LISTEN} - known
    for process in processes(REPLICA):
        if any(each.raddr and each.raddr.port in listening for each in process.net_connections("tcp")):
            return process
    raise LookupError("no replica is connected to the actor")


@dataclass
class Blow:
    """Something done to one process, once; for a step of a caller's script."""

    find: Callable[[], psutil.Process]
    strike: Callable[[psutil.Process], None] = psutil.Process.kill
    victim: psutil.Process | None = None
    at: float = 0.0
    """Monotonic seconds."""

    def __call__(self) -> None:
        self.victim = self.find()
        self.strike(self.victim)
        self.at = time.monotonic()


def _titled(title: str) -> Iterator[psutil.Process]:
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it is ending by itself
            if (child.cmdline() or [""])[0].startswith(title):
                yield child
