"""A process as the operating system has it: every step it takes outside itself may be its last, or come much later.

What runs in it is not told that it dies. Whatever it does next simply never happens.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pymongo.errors import AutoReconnect


@dataclass(frozen=True)
class Weather:
    """How often a step fails, before it was done, or after, so that nobody knows; and how long one takes at most."""

    fails: float = 0.0
    longest_s: float = 0.05


class Process:
    """`strike` is called before and after every step, and may kill or freeze it."""

    def __init__(self, draw: random.Random, weather: Weather, strike: Callable[["Process"], None]) -> None:
        self._random = draw
        self.weather = weather
        self._strike = strike
        self._is_awake = asyncio.Event()
        self._is_awake.set()
        self._late: set[asyncio.Task[Any] | None] = set()
        """Those who were to be broken off while the process was frozen."""
        self.is_dead = False

    @property
    def is_well(self) -> bool:
        """Neither dead nor frozen."""
        return self._is_awake.is_set() and not self.is_dead

    def kill(self) -> None:
        """It does nothing any more."""
        self.is_dead = True

    def freeze(self) -> None:
        """It does nothing until it is thawed, and does not know."""
        self._is_awake.clear()

    def thaw(self) -> None:
        """It goes on."""
        self._is_awake.set()

    @asynccontextmanager
    async def step(self, *, may_fail: bool = True) -> AsyncIterator[None]:
        """Something that is done outside the process at one moment, inside the context."""
        await self._pass()
        fails = may_fail and self._random.random() < self.weather.fails
        if fails and self._random.random() < 0.5:
            raise AutoReconnect("it never arrived")
        yield
        await self._pass()
        if fails:
            raise AutoReconnect("the answer was lost")

    async def _thawed(self) -> None:
        """Timers of a process that is frozen do not ring: they do when it goes on, and it may take this step first."""
        task = asyncio.current_task()
        while not self._is_awake.is_set():
            try:
                await self._is_awake.wait()
            except asyncio.CancelledError:
                self._late.add(task)

    async def _pass(self) -> None:
        if asyncio.current_task() in self._late:
            self._late.discard(asyncio.current_task())
            raise asyncio.CancelledError
        await asyncio.sleep(self._random.uniform(0, self.weather.longest_s))
        self._strike(self)
        await self._thawed()
        if self.is_dead:
            await asyncio.get_running_loop().create_future()
