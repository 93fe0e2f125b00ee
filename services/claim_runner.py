"""Work that processes share: each claims a piece, does it, and writes down what came of it. Any number may run.

What becomes of a piece whose holder dies is for each kind of work to say.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Generic, TypeVar

from models.document import Id

logger = logging.getLogger(__name__)

CANCEL_S = 0.5

Work = TypeVar("Work")


async def break_off(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end. Again and again: the database's driver waits with `asyncio.wait_for`, which
    before Python 3.12 forgets a cancellation that comes together with the answer."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_S)


class ClaimRunner(ABC, Generic[Work]):
    """Owns the pieces it has under way until they are done, or `aclose`.

    `at_once`: how many; `per_owner`: of those, how many of one owner, so that one who is slow delays others only so
    much. `leave_s`: what is under way when the process closes has so long to be done.
    """

    noun: str
    """What a piece is called in the log."""

    def __init__(self, *, at_once: int, per_owner: int, leave_s: float = 0.0) -> None:
        self._at_once = at_once
        self._per_owner = per_owner
        self._leave_s = leave_s
        self._under_way: dict[asyncio.Task[None], Id] = {}

    @abstractmethod
    async def _claim(self, unless: Collection[Id], /) -> Work | None:
        """Have the piece that is due the longest to ourselves, of no owner in `unless`; None: nothing is due."""

    @abstractmethod
    def _owner(self, work: Work, /) -> Id:
        """Whose a piece is."""

    @abstractmethod
    async def _do(self, work: Work, /) -> None:
        """Do a claimed piece, and write down what came of it."""

    async def fill(self) -> int:
        """Begin what is due, as far as there is room; how many were begun. Raises what PyMongo raises."""
        begun = 0
        while len(self._under_way) < self._at_once:
            loads = Counter(self._under_way.values())
            work = await self._claim([owner for owner, load in loads.items() if load >= self._per_owner])
            if work is None:
                break
            task = asyncio.create_task(self._do(work))
            self._under_way[task] = self._owner(work)
            task.add_done_callback(self._landed)
            begun += 1
        return begun

    async def landed(self, within_s: float) -> None:
        """Wait until one of those under way is done, or for so long."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(within_s)

    async def drain(self) -> None:
        """Do what is due until nothing is."""
        while await self.fill() or self._under_way:
            await self.landed(within_s=1.0)

    async def aclose(self) -> None:
        """Let what is under way be done, for a while; then break it off."""
        if self._under_way and self._leave_s:
            await asyncio.wait(self._under_way, timeout=self._leave_s)
        await break_off(self._under_way)

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work on a %s broke off", self.noun, exc_info=error)
