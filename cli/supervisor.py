"""Starts children in order, keeps them running, stops them in reverse order. Knows nothing of what they are.

Every child runs behind a guard (guard.py), so that nothing it started outlives it, nor this process, even when killed.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, assert_never

from cli.child import Child, Restart
from cli.errors import StartFailed, log_tail
from cli.guarded import Guarded

POLL_S = 0.05
PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Before each start-again; a child that needs more of them within STEADY_S is given up."""
STEADY_S = 60.0


class Teller(Protocol):
    """Where the supervisor reports what happens."""

    def started(self, child: Child, *, took_s: float) -> None: ...

    def ended(self, child: Child, *, status: str) -> None: ...


class Supervisor:
    """A context: children started inside it are gone when it is left."""

    def __init__(self, log_dir: Path, teller: Teller, *, lock: int | None = None) -> None:
        self._log_dir = log_dir
        self._teller = teller
        self._lock = lock
        self._running: list[_Supervised] = []
        self._watches: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, child: Child) -> None:
        """Start one child and return when it is ready; raises StartFailed when it does not get there."""
        supervised = _Supervised(child, Guarded(child, self._log_dir / f"{child.name}.log", lock=self._lock))
        self._running.append(supervised)
        await self._or_failure(self._first_start(supervised))
        self._watches.add(asyncio.create_task(self._watch(supervised), name=child.name))

    async def wait(self) -> None:
        """Return never; raises StartFailed when a child had to be given up."""
        await self._or_failure(asyncio.Event().wait())

    async def until(self, work: Awaitable[None]) -> None:
        """Await `work` while the children run; raises StartFailed when one had to be given up meanwhile."""
        await self._or_failure(work)

    def pid(self, name: str) -> int | None:
        """The process of a child now, for tests and `doctor`."""
        return next((each.process.pid for each in self._running if each.child.name == name), None)

    def is_ready(self, name: str) -> bool:
        """Whether a child was ready since its last start."""
        return any(each.is_ready for each in self._running if each.child.name == name)

    async def stop(self) -> None:
        """Stop everything, the last started first."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._watches.clear()
        while self._running:
            await self._running.pop().process.stop()

    async def _first_start(self, supervised: "_Supervised") -> None:
        began = time.monotonic()
        await supervised.start()
        self._teller.started(supervised.child, took_s=time.monotonic() - began)

    async def _watch(self, supervised: "_Supervised") -> None:
        child = supervised.child
        starts: list[float] = []
        while True:
            status = await supervised.process.wait()
            supervised.is_ready = False
            if child.restart is Restart.DONE:
                return
            self._teller.ended(child, status=status)
            starts = [at for at in starts if at > time.monotonic() - STEADY_S] + [time.monotonic()]
            if not _may_start_again(child, len(starts)):
                raise StartFailed(f"{child.name} {status}; see {supervised.process.log} or set {child.setting}")
            await asyncio.sleep(PAUSES_S[len(starts) - 1])
            with contextlib.suppress(StartFailed):  # the next turn of the loop sees that it ended and counts it
                await self._first_start(supervised)

    async def _or_failure(self, work: Awaitable[object]) -> None:
        """Await `work`, or raise what ended one of the watches."""
        mine = asyncio.ensure_future(work)
        try:
            await asyncio.wait({mine, *self._watches}, return_when=asyncio.FIRST_COMPLETED)
            for watch in {each for each in self._watches if each.done()}:
                self._watches.discard(watch)
                watch.result()
            await mine
        finally:
            mine.cancel()
            with contextlib.suppress(asyncio.CancelledError, StartFailed):
                await mine


class _Supervised:
    """A child and its process."""

    def __init__(self, child: Child, process: Guarded) -> None:
        self.child = child
        self.process = process
        self.is_ready = False

    async def start(self) -> None:
        self.is_ready = False
        await self.process.start()
        try:
            async with asyncio.timeout(self.child.ready_timeout_s):
                while not await self.child.is_ready():
                    if self.process.ended:
                        raise self._failure(f"{await self.process.wait()} at its start")
                    await asyncio.sleep(POLL_S)
            self.is_ready = True
        except TimeoutError:
            await self.process.stop()
            raise self._failure(f"was not ready in {self.child.ready_timeout_s:g} s") from None

    def _failure(self, what: str) -> StartFailed:
        log = self.process.log
        return StartFailed(f"{self.child.name} {what}: {log_tail(log)} (log: {log}; setting: {self.child.setting})")


def _may_start_again(child: Child, ended_lately: int) -> bool:
    match child.restart:
        case Restart.ALWAYS:
            return ended_lately <= len(PAUSES_S)
        case Restart.NEVER | Restart.DONE:
            return False
        case _:
            assert_never(child.restart)
