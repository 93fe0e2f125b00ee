"""Keeps warm call actors on one node and lends one to each call, so that no actor is ever started for a ringing phone.

Who gets one is decided by `pool_policy.py`, the actors are looked after by `pool_crew.py`; nothing here knows Ray. As a
Ray actor the pool is restarted after a crash and finds its call actors again, with their live calls. Reservations are
forgotten then, and a call that had one takes any idle actor.
"""

import asyncio
import contextlib
from dataclasses import dataclass

from actors.call_session.door import Endpoint
from actors.call_session.pool_crew import START_S, Crew, clock
from actors.call_session.pool_fleet import ActorLost, Fleet, Health
from actors.call_session.pool_policy import STARTING, TAKEN, Refusal, Roster, Rules, Standing
from models.errors import Conflict, NoCapacity

__all__ = ["START_S", "TAKEN", "ActorLost", "CallPool", "Fleet", "Health", "Lease", "PoolStats", "Refusal"]


@dataclass(frozen=True, slots=True)
class Lease:
    """One call actor for one call: `actor` and `pool` are Ray names."""

    actor: str
    session_id: str
    endpoint: Endpoint
    pool: str = ""


@dataclass(frozen=True, slots=True)
class PoolStats:
    """A pool in numbers."""

    size: int
    """Its actors: idle, reserved, leased and starting ones."""
    idle: int
    """Warm, and nobody has a claim on them."""
    leased: int
    starting: int
    slots: int = 0
    reserved: int = 0
    """Calls that ring, each with a claim on one warm actor."""
    target: int = 0
    """How many should be idle at the rate calls come now."""
    is_draining: bool = False


class CallPool:
    """The pool of one node."""

    def __init__(self, fleet: Fleet, rules: Rules) -> None:
        self._roster = Roster(rules)
        self._crew = Crew(fleet, self._roster)

    async def open(self) -> PoolStats:
        """Return when enough actors are warm; raises NoCapacity with the reason when one does not start."""
        await self._crew.present()
        while not self._roster.is_open(clock()):
            if self._crew.failure is not None:
                raise NoCapacity(f"a call actor did not start: {self._crew.failure}", reason=STARTING)
            async with asyncio.timeout(START_S):
                await self._crew.change()
        return await self.stats()

    async def reserve(self, session_id: str, for_s: float, patience_s: float = 0.0) -> Refusal | None:
        """Keep a warm actor for the call for so long; None: done. Waits up to `patience_s` for one that starts."""
        await self._crew.present()
        give_up = clock() + patience_s
        while True:
            refusal = self._roster.reserve(session_id, now=clock(), until=clock() + for_s)
            self._crew.keep_up()
            if refusal is None or refusal.reason != STARTING or clock() >= give_up:
                return refusal
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(give_up):
                    await self._crew.change()

    async def cancel(self, session_id: str) -> None:
        """The call will not come, or has come elsewhere."""
        self._roster.cancel(session_id)
        self._crew.keep_up()
        self._crew.tell()

    async def admit(self, is_admitting: bool) -> None:
        """Whether others than the pool allow more calls. Reserved calls and those that go on get their leases."""
        self._roster.is_admitting = is_admitting

    async def lease(self, session_id: str, by: str = "") -> Lease | Refusal:
        """An actor that expects the call's connection now; for the same `by` the same one until that has come."""
        await self._crew.present()
        while True:
            held = self._roster.with_call(session_id)
            name = self._roster.lease(session_id, clock(), by)
            self._crew.keep_up()
            if isinstance(name, Refusal):
                return name
            try:
                endpoint = await self._crew.begin(name, session_id)
            except Conflict:
                if held is not None:
                    return Refusal(TAKEN)
                self._roster.doubted(name)
            else:
                if endpoint is not None:
                    return Lease(name, session_id, endpoint)

    async def release(self, name: str, session_id: str) -> None:
        """The call is over here; the actor is lent again as soon as it is clean."""
        self._crew.take_back(name, session_id)

    async def lost(self, name: str, session_id: str) -> None:
        """The edge has lost its connection to a leased actor: dead or not, it must not go on with the call."""
        await self._crew.present()
        self._crew.take_away(name, session_id)

    async def drain(self) -> None:
        """Take no more calls: those under way and those that ring come to their end, and actors go with them."""
        await self._crew.present()
        self._roster.is_draining = True
        self._crew.keep_up()

    async def stats(self) -> PoolStats:
        """The pool in numbers."""
        self._crew.assembling()
        roster, now = self._roster, clock()
        return PoolStats(
            size=len(roster.members),
            idle=roster.free(now),
            leased=roster.count(Standing.LEASED),
            starting=roster.count(Standing.STARTING),
            slots=roster.rules.slots,
            reserved=roster.reserved(now),
            target=roster.target(now),
            is_draining=roster.is_draining,
        )

    async def close(self) -> None:
        """Stop every actor of the pool, and what the pool itself is doing."""
        await self._crew.disband()
