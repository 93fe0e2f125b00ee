"""Keeps warm call actors on one node and lends one to each call, so that no actor is ever started for a ringing phone.

The rules are in `pool_policy.py`; how an actor is reached is the `Fleet`'s business (`actors/handles.py`), so nothing
here knows Ray. As a Ray actor it is restarted after a crash and finds its call actors again, with their live calls.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

from actors.call_session.door import Endpoint
from actors.call_session.pool_policy import Member, Roster, Standing
from models.errors import Conflict, NoCapacity

logger = logging.getLogger(__name__)

SETTLE_S = 30.0
"""How long a call may take to write its end after its media is gone; later, only the look around notices."""
CHECK_S = 5.0
RETRY_S = 2.0
START_S = 120.0
"""The slowest start of one actor, on a machine busy with many."""
UNKNOWN = "unknown"
"""Stands for the session of an actor that turned out to be busy."""


class ActorLost(Exception):
    """A call actor is dead."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a call actor says of itself; `session_id` is the call it is with, or that may still attach."""

    session_id: str | None
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Lease:
    """One call actor for one call: `actor` is its Ray name."""

    actor: str
    session_id: str
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class PoolStats:
    """A pool in numbers."""

    size: int
    idle: int
    leased: int
    starting: int


class Fleet(Protocol):
    """The call actors of one node. ActorLost: the actor is dead; TimeoutError: it does not answer in time."""

    def new_name(self) -> str:
        """A name for the next actor, unique for all time."""

    async def existing(self) -> list[str]:
        """The names of the actors that are alive, whoever started them."""

    async def start(self, name: str) -> None:
        """Start one more and return once it is warm."""

    async def begin(self, name: str, session_id: str) -> Endpoint:
        """Have it expect a call; raises Conflict when it has one."""

    async def settle(self, name: str, session_id: str, within_s: float) -> Health:
        """Its health, once it is done with the call or the time is up."""

    async def health(self, name: str) -> Health:
        """Its health now."""

    async def stop(self, name: str) -> None:
        """End it, whatever it does."""


class CallPool:
    """The pool of one node. Single-threaded: state changes only between awaits, through the roster."""

    def __init__(self, fleet: Fleet, size: int, at_once: int) -> None:
        self._fleet = fleet
        self._size = size
        self._roster = Roster(size, at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self._adopted: asyncio.Task[None] | None = None
        self._failure: str | None = None
        self._changed = asyncio.Event()

    async def open(self) -> PoolStats:
        """Return when every actor is warm; raises NoCapacity with the reason when one does not start."""
        await self._adopt_once()
        while self._roster.count(Standing.IDLE) + self._roster.count(Standing.LEASED) < self._size:
            if self._failure is not None:
                raise NoCapacity(f"a call actor did not start: {self._failure}")
            self._changed.clear()
            async with asyncio.timeout(START_S):
                await self._changed.wait()
        return await self.stats()

    async def lease(self, session_id: str) -> Lease | None:
        """An actor that waits for the call's connection; None: all are taken."""
        await self._adopt_once()
        while (name := self._roster.lease(session_id)) is not None:
            try:
                return Lease(name, session_id, await self._fleet.begin(name, session_id))
            except Conflict:
                self._roster.ready(name, session_id=UNKNOWN)  # the next look around finds out whose it is
            except (ActorLost, TimeoutError):
                self._lose(name)
        return None

    async def release(self, name: str, session_id: str) -> None:
        """The call is over here; the actor is lent again as soon as it is clean."""
        if self._roster.holds(name, session_id):
            self._spawn(self._take_back(name, session_id))

    async def stats(self) -> PoolStats:
        """The pool in numbers."""
        idle, leased, starting = (self._roster.count(s) for s in (Standing.IDLE, Standing.LEASED, Standing.STARTING))
        return PoolStats(self._size, idle, leased, starting)

    async def close(self) -> None:
        """Stop every actor of the pool, and what the pool itself is doing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._fleet.stop(member.name) for member in self._roster.members))

    # --- taking in and keeping up ---------------------------------------------------------------------
    async def _adopt_once(self) -> None:
        if self._adopted is None:
            self._adopted = asyncio.create_task(self._adopt())
        await asyncio.shield(self._adopted)

    async def _adopt(self) -> None:
        for name in await self._fleet.existing():
            with contextlib.suppress(ActorLost, TimeoutError):
                self._roster.ready(name, session_id=(await self._fleet.health(name)).session_id)
        self._top_up()
        self._spawn(self._look_around())

    def _top_up(self) -> None:
        for _ in range(self._roster.to_start()):
            name = self._fleet.new_name()
            self._roster.starting(name)
            self._spawn(self._start(name))

    async def _start(self, name: str) -> None:
        try:
            await self._fleet.start(name)
        except (ActorLost, TimeoutError) as error:
            logger.error("a call actor did not start", extra={"problem": str(error)})
            self._failure = str(error) or "it took too long"
            self._changed.set()
            await asyncio.sleep(RETRY_S)
            self._lose(name)
        else:
            self._failure = None
            self._roster.ready(name)
            self._changed.set()
            self._top_up()

    # --- taking back ------------------------------------------------------------------------------------
    async def _take_back(self, name: str, session_id: str) -> None:
        try:
            health = await self._fleet.settle(name, session_id, SETTLE_S)
        except ActorLost:
            self._lose(name)
        except TimeoutError:
            logger.warning("a call actor is slow to settle", extra={"actor": name, "session_id": session_id})
        else:
            if health.session_id is None:
                self._roster.returned(name, session_id)

    async def _look_around(self) -> None:
        """Finds what nobody reported: dead actors, and calls that ended after the replica that carried them died."""
        before: set[Member] = set()
        while True:
            await asyncio.sleep(CHECK_S)
            now = {member for member in self._roster.members if member.standing is not Standing.STARTING}
            # A member that changed since the last look may have a `begin` under way: its turn comes next time.
            await asyncio.gather(*(self._look_at(member) for member in now & before))
            before = now
            self._top_up()

    async def _look_at(self, member: Member) -> None:
        try:
            health = await self._fleet.health(member.name)
        except ActorLost:
            self._lose(member.name)
        except TimeoutError:
            if member.standing is Standing.IDLE and member in self._roster.members:
                self._lose(member.name)  # with a call it is left alone: slow is better than cut
        else:
            if health.session_id != member.session_id and member in self._roster.members:
                self._roster.ready(member.name, session_id=health.session_id)

    def _lose(self, name: str) -> None:
        logger.warning("a call actor was lost and is replaced", extra={"actor": name})
        self._roster.lost(name)
        self._spawn(self._fleet.stop(name))
        self._top_up()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
