"""Who is in a pool of call actors, which one answers the next call, and how many to start. Pure bookkeeping."""

from dataclasses import dataclass, replace
from enum import Enum


class Standing(Enum):
    """Where an actor is in its life; one that died is simply gone from the roster."""

    STARTING = "starting"
    IDLE = "idle"
    LEASED = "leased"


@dataclass(frozen=True, slots=True)
class Member:
    """One actor of the pool. `calls` is how many it has been leased for."""

    name: str
    standing: Standing
    session_id: str | None = None
    calls: int = 0


class Roster:
    """The members of one pool. `size` is how many it keeps; `at_once` how many may start at the same time."""

    def __init__(self, size: int, at_once: int) -> None:
        self._size = size
        self._at_once = at_once
        self._members: dict[str, Member] = {}

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody, in the order they came."""
        return tuple(self._members.values())

    def count(self, standing: Standing) -> int:
        """How many stand there."""
        return sum(member.standing is standing for member in self._members.values())

    def to_start(self) -> int:
        """How many actors to start now."""
        return max(0, min(self._size - len(self._members), self._at_once - self.count(Standing.STARTING)))

    def starting(self, name: str) -> None:
        """An actor is on its way."""
        self._members[name] = Member(name, Standing.STARTING)

    def ready(self, name: str, *, session_id: str | None = None) -> None:
        """An actor is warm; with a session, it was found in the middle of that call."""
        standing = Standing.IDLE if session_id is None else Standing.LEASED
        calls = self._members[name].calls if name in self._members else 0
        self._members[name] = Member(name, standing, session_id, calls)

    def lease(self, session_id: str) -> str | None:
        """Take the idle actor with the fewest calls; None: all are taken, or the session has one already."""
        idle = [member for member in self._members.values() if member.standing is Standing.IDLE]
        if not idle or any(member.session_id == session_id for member in self._members.values()):
            return None
        chosen = min(idle, key=lambda member: member.calls)
        self._members[chosen.name] = Member(chosen.name, Standing.LEASED, session_id, chosen.calls + 1)
        return chosen.name

    def holds(self, name: str, session_id: str) -> bool:
        """Whether the actor is leased for this very session; a late release must not free the next call's actor."""
        member = self._members.get(name)
        return member is not None and member.standing is Standing.LEASED and member.session_id == session_id

    def returned(self, name: str, session_id: str) -> None:
        """The actor is clean again."""
        if self.holds(name, session_id):
            self._members[name] = replace(self._members[name], standing=Standing.IDLE, session_id=None)

    def lost(self, name: str) -> None:
        """The actor is dead or beyond trust."""
        self._members.pop(name, None)
