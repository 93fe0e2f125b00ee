"""Runs one command and leaves nothing of it behind. Standard library only: started as `python -I -S guard.py`.

    guard.py PARENT_PID GRACE_S COMMAND...

The supervisor puts one guard before every child. The guard is the subreaper of everything the command starts, so
daemonized grandchildren are its own too. It ends when the command ends, when it is told to (SIGTERM, SIGINT) or when
the supervisor dies, even by SIGKILL; it then gives the command GRACE_S seconds and kills whatever is left.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
LEFTOVER_GRACE_S = 1.0


def main(arguments: Sequence[str]) -> int:
    """Run the command to its end and return its exit status, 128 + N for signal N."""
    parent, grace_s, *command = arguments
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        return 128 + signal.SIGTERM
    child = _start(command)
    status = _wait(child, grace_s=float(grace_s))
    _clear()
    return status


def descendants(root: int) -> set[int]:
    """Every process below `root`, read from /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent_of(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [root]
    while waiting:
        below = set(children.get(waiting.pop(), ())) - found
        found |= below
        waiting += below
    return found


def _parent_of(entry: Path) -> int | None:
    try:
        stat = (entry / "stat").read_bytes()
    except OSError:  # it ended while we looked
        return None
    return int(stat.rpartition(b")")[2].split()[1])


def _start(command: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    os.closerange(3, 256)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(127)


def _wait(child: int, *, grace_s: float) -> int:
    while True:
        received = signal.sigwait(WATCHED)
        if received in (signal.SIGTERM, signal.SIGINT):
            os.kill(child, signal.SIGTERM)
            signal.setitimer(signal.ITIMER_REAL, grace_s)
        elif received == signal.SIGALRM:
            os.kill(child, signal.SIGKILL)
        elif (status := _reap(child)) is not None:
            return status


def _reap(child: int) -> int | None:
    """Collect everything that ended; the status of `child` when it is among them."""
    status = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
                status = code if code >= 0 else 128 - code
    return status


def _clear() -> None:
    """End what the command left running: ask once, then kill until nothing is left."""
    _signal_all(signal.SIGTERM)
    deadline = time.monotonic() + LEFTOVER_GRACE_S
    while descendants(os.getpid()):
        if time.monotonic() > deadline:
            _signal_all(signal.SIGKILL)
        time.sleep(0.02)
        _reap(0)


def _signal_all(number: signal.Signals) -> None:
    for pid in descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
