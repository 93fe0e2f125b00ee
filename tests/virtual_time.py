"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do: waiting costs no time."""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from typing import Any


class VirtualTime(asyncio.SelectorEventLoop):
    """Begins at 0. For code that reads the loop's clock and touches neither threads nor the network."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Time passes while nobody gets to run, as on a machine that is starved."""
        self._now += seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What the loop would sleep is over at once."""
        assert timeout is not None, "everybody waits for ever"
        self._loop.jump(max(0.0, timeout))
        return super().select(0)


def virtual(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A coroutine test, run on a virtual clock of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTime) as runner:
            runner.run(_bound(test(*arguments, **named)))

    return run


async def _bound(work: Awaitable[None]) -> None:
    await work


def jump(seconds: float) -> None:
    """Time passes while nobody gets to run; for tests under `virtual`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTime)
    loop.jump(seconds)
