"""One operating-system process behind its guard: start, wait, stop. No policy."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from cli.child import Child

GUARD = Path(__file__).resolve().parent / "guard.py"
EXTRA_GRACE_S = 5.0
"""What the guard may need after the child's own grace to clear up behind it."""


class Guarded:
    """The process of one child; may be started again after it ended."""

    def __init__(self, child: Child, log: Path, *, lock: int | None = None) -> None:
        self._child = child
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None
        self.log = log

    @property
    def ended(self) -> bool:
        """Whether it was never started or has ended."""
        return self._process is None or self._process.returncode is not None

    @property
    def pid(self) -> int | None:
        """The child itself, not its guard; None while it does not run."""
        if self._process is None or self.ended:
            return None
        guard = self._process.pid
        try:
            children = Path(f"/proc/{guard}/task/{guard}/children").read_text().split()
        except FileNotFoundError:
            return None
        return int(children[0]) if children else None

    async def start(self) -> None:
        """Start the process, its output appended to the log."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(self._child.stop_grace_s)),
                *self._child.command,
                stdin=asyncio.subprocess.PIPE if self._child.stdin else asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=self._child.environment(),
                start_new_session=True,
                pass_fds=() if self._lock is None else (self._lock,),
            )
        await self._hand_over(self._process)

    async def wait(self) -> str:
        """Wait for the end and tell how it ended, for people."""
        if self._process is None:
            return "never started"
        code = await self._process.wait()
        if code < 0 or code > 128:
            number = -code if code < 0 else code - 128
            return f"was killed by {_signal_name(number)}"
        return f"ended with status {code}"

    async def stop(self) -> None:
        """SIGTERM, and after the child's grace SIGKILL; returns when nothing of it is left."""
        if self._process is None or self.ended:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(self._child.stop_grace_s + EXTRA_GRACE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _hand_over(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended at once; the ready check sees that
            process.stdin.write(self._child.stdin.encode())
            await process.stdin.drain()
        process.stdin.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
