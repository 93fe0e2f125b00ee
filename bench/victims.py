"""The parts of a running product that die on demand: finds their processes and kills them, as the kernel does.

Nothing is asked to end. Whoever restarts what dies (Ray, Serve, the supervisor of the children) is the product's own.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from bench.processes import Member, members, usage
from cli.background import Background

NOTHING = "nothing"
"""Nobody dies: what the others are compared with."""
BUSY_S = 1.0
"""Call actors with a call are told from idle ones by the CPU they use in so long."""
BACK_S = 60.0
"""Nothing takes longer to come back."""
LOOK_S = 0.1

Find = Callable[[Sequence[Member], int], list[int]]
"""Picks whom to kill from the product's processes; the number is how many calls are live."""


def one_of(part: str) -> Find:
    """Any one of a part's processes."""

    def find(found: Sequence[Member], live: int) -> list[int]:
        pids = [member.pid for member in found if member.part == part]
        return [random.choice(pids)] if pids else []

    return find


def all_of(part: str) -> Find:
    """All of a part's processes."""
    return lambda found, live: [member.pid for member in found if member.part == part]


VICTIMS: Mapping[str, Find] = {
    NOTHING: lambda found, live: [],
    "call actor": one_of("call actors"),
    "speech to text": one_of("speech to text"),
    "pool": one_of("pools"),
    "keeper": one_of("keeper"),
    "billing": one_of("billing"),
    "replica": one_of("replicas"),
    "ingress": all_of("ingress"),
    "redis": one_of("redis"),
    "database": one_of("mongodb"),
}
"""By name."""


class Victim:
    """One part of a product, to be killed again and again. `rays` names the children that are nodes of Ray."""

    def __init__(self, name: str, children: Background, rays: Sequence[str] = ("ray",)) -> None:
        self.name = name
        self._children = children
        self._rays = rays
        self._killed: set[int] = set()

    async def kill(self, live: int) -> float | None:
        """Kill it once it is there (again), and say when; None: it did not come back in time."""
        give_up = time.monotonic() + BACK_S
        while time.monotonic() < give_up:
            pids = set(VICTIMS[self.name](await self._candidates(live), live)) - self._killed
            if pids or self.name == NOTHING:
                self._killed |= pids
                slay(pids)
                return time.monotonic()
            await asyncio.sleep(LOOK_S)
        return None

    async def _candidates(self, live: int) -> Sequence[Member]:
        found = await asyncio.to_thread(members, self._children, self._rays)
        if self.name != "call actor":
            return found
        return await busiest([member for member in found if member.part == "call actors"], live)


async def busiest(found: Sequence[Member], count: int) -> Sequence[Member]:
    """Those so many that use most CPU now: the actors that are in a call."""
    before = {member.pid: _cpu_s(member.pid) for member in found}
    await asyncio.sleep(BUSY_S)
    spent = {member: _cpu_s(member.pid) - before[member.pid] for member in found}
    return sorted(spent, key=lambda member: spent[member], reverse=True)[:count]


def slay(pids: set[int]) -> None:
    """SIGKILL; who is gone already is no news."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _cpu_s(pid: int) -> float:
    used = usage(pid)
    return 0.0 if used is None else used.cpu_s
