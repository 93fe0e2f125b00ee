"""The pool against a fleet that lives in this process; time passes only where a test lets it."""

import asyncio
from dataclasses import dataclass, field

import pytest

from actors.call_session import pool as pool_module
from actors.call_session.door import Endpoint
from actors.call_session.pool import ActorLost, CallPool, Health
from models.errors import Conflict, NoCapacity


@dataclass
class Fleet:
    """Satisfies `pool.Fleet`. `calls` says what every living actor is doing."""

    calls: dict[str, str | None] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    refuse: str | None = None
    made: int = 0

    def new_name(self) -> str:
        self.made += 1
        return f"a{self.made}"

    async def existing(self) -> list[str]:
        return list(self.calls)

    async def start(self, name: str) -> None:
        await asyncio.sleep(0)
        if self.refuse:
            raise ActorLost(self.refuse)
        self.calls[name] = None

    async def begin(self, name: str, session_id: str) -> Endpoint:
        self._check(name)
        if self.calls[name] is not None:
            raise Conflict("busy")
        self.calls[name] = session_id
        return Endpoint("127.0.0.1", 1, f"token of {name}")

    async def settle(self, name: str, session_id: str, within_s: float) -> Health:
        return await self.health(name)

    async def health(self, name: str) -> Health:
        self._check(name)
        return Health(self.calls[name], 0)

    async def stop(self, name: str) -> None:
        self.calls.pop(name, None)

    def _check(self, name: str) -> None:
        if name not in self.calls or name in self.broken:
            raise ActorLost("dead")


async def settled() -> None:
    """Everything that can happen without time passing has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


async def an_open_pool(fleet: Fleet, size: int = 2) -> CallPool:
    pool = CallPool(fleet, size, 2)
    await pool.open()
    return pool


async def test_opening_waits_until_every_actor_is_warm(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet, size=3)
    assert (await pool.stats()).idle == 3
    await pool.close()


async def test_opening_says_why_actors_do_not_start(fleet: Fleet) -> None:
    fleet.refuse = "ImportError: no such voice"
    pool = CallPool(fleet, 2, 2)
    with pytest.raises(NoCapacity, match="no such voice"):
        await pool.open()
    await pool.close()


async def test_a_lease_names_the_actor_that_expects_the_call(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet)
    lease = await pool.lease("s1")
    assert lease is not None
    assert fleet.calls[lease.actor] == "s1"
    assert lease.endpoint.token == f"token of {lease.actor}"
    await pool.close()


async def test_a_busy_pool_lends_nothing_and_starts_nobody(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet, size=1)
    await pool.lease("s1")
    assert await pool.lease("s2") is None
    assert fleet.made == 1
    await pool.close()


async def test_a_released_actor_is_lent_again_once_its_call_is_over(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet, size=1)
    lease = await pool.lease("s1")
    assert lease is not None
    fleet.calls[lease.actor] = None
    await pool.release(lease.actor, "s1")
    await settled()
    assert await pool.lease("s2") is not None
    await pool.close()


async def test_a_released_actor_still_writing_its_log_is_not_lent(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet, size=1)
    lease = await pool.lease("s1")
    assert lease is not None
    await pool.release(lease.actor, "s1")
    await settled()
    assert await pool.lease("s2") is None
    await pool.close()


async def test_a_dead_actor_is_passed_over_and_replaced(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet)
    fleet.broken = {"a1"}
    lease = await pool.lease("s1")
    assert lease is not None
    assert lease.actor == "a2"
    await settled()
    assert set(fleet.calls) == {"a2", "a3"}
    await pool.close()


async def test_a_restarted_pool_finds_its_actors_and_their_calls(fleet: Fleet) -> None:
    fleet.calls = {"b1": "s1", "b2": None}
    pool = await an_open_pool(fleet)
    assert fleet.made == 0
    lease = await pool.lease("s2")
    assert lease is not None
    assert lease.actor == "b2"
    assert await pool.lease("s3") is None
    await pool.close()


async def test_an_actor_that_turns_out_busy_is_left_with_its_call(fleet: Fleet) -> None:
    pool = await an_open_pool(fleet, size=1)
    fleet.calls["a1"] = "somebody"
    assert await pool.lease("s1") is None
    assert fleet.calls == {"a1": "somebody"}
    await pool.close()


async def test_looking_around_replaces_the_dead_and_frees_the_forgotten(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CHECK_S", 0.0)
    pool = await an_open_pool(fleet)
    lease = await pool.lease("s1")
    assert lease is not None
    fleet.calls[lease.actor] = None  # its call ended, and nobody released it
    fleet.broken = set(fleet.calls) - {lease.actor}
    await settled()
    stats = await pool.stats()
    assert (stats.idle, stats.leased) == (2, 0)
    await pool.close()
