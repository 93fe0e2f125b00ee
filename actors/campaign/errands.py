"""Tasks of one life of a campaign's actor: they end with it, and a bug in one of them ends it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from stores.outage import AWAY

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0

T = TypeVar("T")


class Errands:
    """Whatever is sent off and not waited for at once."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, errand: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin it now."""
        task = asyncio.create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def broken(self) -> None:
        """Raises what an errand raised; until then it does not return."""
        await asyncio.shield(self._broken)

    async def close(self) -> None:
        """Break off what is under way, and wait until it is."""
        if not self._broken.cancel() and not self._broken.cancelled():
            self._broken.exception()  # heard, even if something else has ended the life
        await ended(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not self._broken.done():
            self._broken.set_exception(error)


async def ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel them and return when they are over."""
    waiting = set(tasks)
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.gather(*waiting, return_exceptions=True)


async def first_of(*works: Coroutine[Any, Any, T]) -> T:
    """What the first of them that comes to an end gives or raises; the others are broken off by then."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        await ended(set(tasks))


async def until_done(work: Callable[[], Awaitable[T]], what: str) -> T:
    """The answer of something that may be repeated, however long the database is away."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except AWAY as error:
            logger.warning("a campaign waits for the database", extra={"for": what, "problem": type(error).__name__})
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
