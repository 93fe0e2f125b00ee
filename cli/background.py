"""A supervisor on a thread of its own, for callers that are not async: test fixtures and benchmarks.

The thread lives as long as the context; children die with it.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.child import Child
from cli.supervisor import Supervisor, Teller


class Background:
    """Starts children from synchronous code."""

    def __init__(self, supervisor: Supervisor, loop: asyncio.AbstractEventLoop) -> None:
        self._supervisor = supervisor
        self._loop = loop

    def start(self, child: Child) -> None:
        """Start one child and return when it is ready; raises StartFailed."""
        self._await(self._supervisor.start(child))

    def pid(self, name: str) -> int | None:
        """The process of a child now."""
        return self._supervisor.pid(name)

    def is_ready(self, name: str) -> bool:
        """Whether a child was ready since its last start."""
        return self._supervisor.is_ready(name)

    def stop(self) -> None:
        """Stop every child."""
        self._await(self._supervisor.stop())

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


class Silent:
    """Reports nothing."""

    def started(self, child: Child, *, took_s: float) -> None:
        """Ignored."""

    def ended(self, child: Child, *, status: str) -> None:
        """Ignored."""


@contextmanager
def background(log_dir: Path, teller: Teller | None = None) -> Iterator[Background]:
    """Children started inside are gone when the context is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="supervisor")
    thread.start()
    log_dir.mkdir(parents=True, exist_ok=True)
    running = Background(Supervisor(log_dir, teller or Silent()), loop)
    try:
        yield running
    finally:
        running.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
