"""What the supervisor needs to know about one child process: to add one to `callboard up`, build one of these."""

import asyncio
import enum
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

PROBE_S = 2.0


class Restart(enum.Enum):
    """What follows when a child ends by itself."""

    ALWAYS = enum.auto()
    """Start it again, with growing pauses; too often in a short time ends the run."""
    NEVER = enum.auto()
    """Other children cannot go on without this very process: end the run with a message."""
    DONE = enum.auto()
    """It may finish; nothing follows."""


async def at_once() -> bool:
    """The ready check of a child that has nothing to wait for."""
    return True


@dataclass(frozen=True, slots=True)
class Child:
    """One process of the run. `ready` is asked again and again until it answers True."""

    name: str
    command: tuple[str, ...]
    setting: str
    """The setting that replaces or repairs this child, named when it cannot start."""
    place: str = ""
    """Where it is to be found, for the terminal."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment. Secrets go through `stdin`."""
    stdin: str = ""
    ready: Callable[[], Awaitable[bool]] = at_once
    ready_timeout_s: float = 30.0
    restart: Restart = Restart.ALWAYS
    stop_grace_s: float = 8.0
    """Between SIGTERM and SIGKILL."""

    def environment(self) -> dict[str, str]:
        """The child's whole environment."""
        return {**os.environ, **self.env}

    async def is_ready(self) -> bool:
        """Ask once; slower than PROBE_S counts as not ready."""
        try:
            async with asyncio.timeout(PROBE_S):
                return await self.ready()
        except TimeoutError:
            return False
