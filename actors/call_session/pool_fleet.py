"""What a pool needs of call actors, in words that know nothing of Ray (`actors/fleet.py` has the rest)."""

import os
from dataclasses import dataclass, field
from typing import Protocol

from actors.call_session.door import Endpoint


class ActorLost(Exception):
    """An actor is dead."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a call actor says of itself; `session_id` is the call it is with, or that may still attach."""

    session_id: str | None
    rss_bytes: int
    pid: int = field(default_factory=os.getpid)
    """The process that says so."""


class Fleet(Protocol):
    """The call actors of one node. ActorLost: the actor is dead; TimeoutError: it does not answer in time."""

    def new_name(self) -> str:
        """A name for the next actor, unique for all time."""

    def is_current(self, name: str) -> bool:
        """Whether the actor runs this version of the product with these settings."""

    async def existing(self) -> list[str]:
        """The names of the actors that are alive, whoever started them. A pool asks this first."""

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
