"""A fleet of call actors that live in this process, for tests of their pool."""

import asyncio
from dataclasses import dataclass, field

from actors.call_session.door import Endpoint
from actors.call_session.pool import ActorLost, Health
from models.errors import Conflict


@dataclass
class Fleet:
    """Satisfies `pool.Fleet`. `calls` says what every living actor is doing."""

    calls: dict[str, str | None] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    frozen: set[str] = field(default_factory=set)
    shut: set[str] = field(default_factory=set)
    """Their doors do not open."""
    clinging: set[str] = field(default_factory=set)
    """They do not let go of their calls."""
    old: set[str] = field(default_factory=set)
    """Of another revision."""
    refuse: str | None = None
    start_s: float = 0.0
    rss_bytes: int = 0
    made: int = 0
    stopped: list[str] = field(default_factory=list)

    def new_name(self) -> str:
        self.made += 1
        return f"a{self.made}"

    def is_current(self, name: str) -> bool:
        return name not in self.old

    async def existing(self) -> list[str]:
        return list(self.calls)

    async def start(self, name: str) -> None:
        await asyncio.sleep(self.start_s)
        if self.refuse:
            raise ActorLost(self.refuse)
        self.calls[name] = None

    async def begin(self, name: str, session_id: str) -> Endpoint:
        await self._reached(name)
        if self.calls[name] not in (None, session_id) or name in self.shut:
            raise Conflict("busy")
        self.calls[name] = session_id
        return Endpoint("127.0.0.1", 1, f"token of {name}")

    async def settle(self, name: str, session_id: str, within_s: float) -> Health:
        """As actors do: what waits for its connection is withdrawn, what is attached has to end by itself."""
        await self._reached(name)
        if name in self.clinging:
            await asyncio.sleep(within_s)
        elif self.calls[name] == session_id:
            self.calls[name] = None
        return await self.health(name)

    async def health(self, name: str) -> Health:
        await self._reached(name)
        return Health(self.calls[name], self.rss_bytes)

    async def stop(self, name: str) -> None:
        self.calls.pop(name, None)
        self.stopped.append(name)

    async def _reached(self, name: str) -> None:
        if name in self.frozen:
            await asyncio.sleep(1_000_000.0)
        if name not in self.calls or name in self.dead:
            raise ActorLost("dead")
