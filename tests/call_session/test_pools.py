"""Which pool a call gets its actor from, on a virtual clock."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from actors.call_session.door import Endpoint
from actors.call_session.pool import TAKEN, ActorLost, Lease, PoolStats, Refusal
from actors.call_session.pool_policy import DRAINING, FULL, SPEECH_TO_TEXT, STARTING
from actors.pools import ASK_S, KNOWN_S, MOST_OTHERS, RESTART_S, SHUN_S, UNREACHABLE, Pools
from models.errors import Conflict, NoCapacity
from tests.virtual_time import virtual


@pytest.fixture(autouse=True)
def always_the_same() -> Iterator[None]:
    state = random.getstate()
    random.seed(1)
    yield
    random.setstate(state)


@dataclass
class Cluster:
    """Pools by name: how many actors they have free, or why they lend none."""

    free: dict[str, int | str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """They do not answer at all."""
    dead: set[str] = field(default_factory=set)
    warm_after_s: float = 1.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    listed: int = 0
    is_blind: bool = False

    def pools(self, own: str = "own") -> Pools:
        return Pools(self.ask, self.known, own)

    async def known(self) -> list[str]:
        self.listed += 1
        if self.is_blind:
            raise ActorLost("control plane")
        return list(self.free)

    async def ask(self, pool: str, method: str, *arguments: object, within_s: float) -> Any:
        self.asked.append((pool, method))
        if pool in self.dead:
            raise ActorLost("dead")
        if pool in self.gone:
            await asyncio.sleep(within_s)
            raise TimeoutError
        match method:
            case "lease":
                return self._taken(pool) or Lease("actor", str(arguments[0]), Endpoint("127.0.0.1", 1, "token"))
            case "reserve":
                if len(arguments) > 2 and self.free[pool] == STARTING:
                    await asyncio.sleep(self.warm_after_s)
                    self.free[pool] = 1
                return self._taken(pool)
            case "stats":
                free = self.free[pool]
                return PoolStats(5, free if isinstance(free, int) else 0, 0, 0)
        return None

    def _taken(self, pool: str) -> Refusal | None:
        free = self.free[pool]
        if isinstance(free, int) and free > 0:
            self.free[pool] = free - 1
            return None
        return Refusal(free if isinstance(free, str) else FULL)

    def leases(self) -> list[str]:
        return [pool for pool, method in self.asked if method == "lease"]


async def lease(pools: Pools, kept_at: str | None = None) -> str:
    return (await pools.lease("s1", kept_at=kept_at)).pool


async def refusal(pools: Pools) -> NoCapacity:
    with pytest.raises(NoCapacity) as caught:
        await pools.lease("s1", kept_at=None)
    return caught.value


# --- leases -----------------------------------------------------------------------------------------------
@virtual
async def test_the_own_nodes_pool_comes_first() -> None:
    cluster = Cluster({"a": 5, "own": 1})
    assert await lease(cluster.pools(), "a") == "own"
    assert cluster.leases() == ["own"]


@virtual
async def test_then_the_one_that_keeps_an_actor_and_then_others() -> None:
    cluster = Cluster({"a": 5, "b": 1, "own": 0})
    pools = cluster.pools()
    assert [await lease(pools, "b"), await lease(pools, "b")] == ["b", "a"]


@virtual
async def test_a_replica_on_a_node_without_calls_asks_the_others() -> None:
    assert await lease(Cluster({"a": 1}).pools()) == "a"


@virtual
async def test_of_two_by_chance_the_one_with_more_to_give() -> None:
    cluster = Cluster({"own": 0, "a": 40, "b": 50})
    pools = cluster.pools()
    for _ in range(60):
        await lease(pools)
    assert abs(int(cluster.free["a"]) - int(cluster.free["b"])) <= 1


@virtual
async def test_a_full_cluster_is_not_searched_to_its_end() -> None:
    cluster = Cluster({"own": 0, **{f"p{n}": 0 for n in range(50)}})
    assert (await refusal(cluster.pools())).reason == FULL
    assert len(cluster.leases()) == 1 + MOST_OTHERS
    assert asyncio.get_running_loop().time() < 0.1


@virtual
async def test_nothing_global_is_asked_for_every_call() -> None:
    cluster = Cluster({"own": 100})
    pools = cluster.pools()
    for _ in range(20):
        await lease(pools)
        await asyncio.sleep(0.05)
    assert cluster.listed == 1
    await asyncio.sleep(KNOWN_S)
    await lease(pools)
    assert cluster.listed == 2


@virtual
async def test_while_the_control_plane_is_away_the_pools_known_are_asked() -> None:
    cluster = Cluster({"own": 5})
    pools = cluster.pools()
    await lease(pools)
    cluster.is_blind = True
    await asyncio.sleep(2 * KNOWN_S)
    assert await lease(pools) == "own"


@virtual
async def test_the_pool_of_a_dead_node_costs_one_call_a_moment_and_the_next_nothing() -> None:
    cluster = Cluster({"own": 5, "a": 5}, gone={"own"})
    pools, loop = cluster.pools(), asyncio.get_running_loop()
    assert await lease(pools) == "a"
    assert loop.time() == pytest.approx(ASK_S, abs=0.01)
    assert await lease(pools) == "a"
    assert loop.time() == pytest.approx(ASK_S, abs=0.01)
    cluster.gone = set()
    await asyncio.sleep(SHUN_S)
    assert await lease(pools) == "own"


@virtual
async def test_a_caller_waits_for_a_pool_that_is_being_restarted() -> None:
    cluster = Cluster({"own": 1}, dead={"own"})
    waiting = asyncio.create_task(lease(cluster.pools()))
    await asyncio.sleep(2.0)
    cluster.dead = set()
    assert await waiting == "own"


@virtual
async def test_also_where_the_other_pools_are_full() -> None:
    cluster = Cluster({"own": 1, "a": 0}, dead={"own"})
    waiting = asyncio.create_task(lease(cluster.pools()))
    await asyncio.sleep(2.0)
    cluster.dead = set()
    assert await waiting == "own"


@virtual
async def test_but_not_for_ever() -> None:
    cluster = Cluster({"own": 1}, dead={"own"})
    assert (await refusal(cluster.pools())).reason == UNREACHABLE
    assert asyncio.get_running_loop().time() <= RESTART_S


@virtual
async def test_a_caller_who_has_answered_waits_for_an_actor_that_starts() -> None:
    cluster = Cluster({"own": STARTING})
    waiting = asyncio.create_task(lease(cluster.pools()))
    await asyncio.sleep(1.0)
    cluster.free["own"] = 1
    assert await waiting == "own"


@virtual
async def test_a_call_that_is_connected_is_refused_as_such() -> None:
    with pytest.raises(Conflict):
        await Cluster({"own": TAKEN}).pools().lease("s1", kept_at=None)


@virtual
async def test_a_cluster_without_pools_has_no_capacity() -> None:
    assert (await refusal(Cluster().pools())).reason == UNREACHABLE


# --- reservations -----------------------------------------------------------------------------------------
@virtual
async def test_a_reservation_names_its_pool() -> None:
    cluster = Cluster({"own": 1, "a": 1})
    pools = cluster.pools()
    kept = [await pools.reserve(f"s{n}", for_s=45.0, patience_s=0.0) for n in range(2)]
    assert kept == ["own", "a"]


@pytest.mark.parametrize(
    ("free", "reason"),
    [
        ({"own": 0, "a": DRAINING}, FULL),
        ({"own": DRAINING, "a": SPEECH_TO_TEXT}, SPEECH_TO_TEXT),
        ({"own": STARTING, "a": FULL}, STARTING),
    ],
)
def test_of_several_reasons_the_one_that_time_may_mend_counts(free: dict[str, int | str], reason: str) -> None:
    @virtual
    async def test() -> None:
        with pytest.raises(NoCapacity) as caught:
            await Cluster(free).pools().reserve("s1", for_s=45.0, patience_s=0.0)
        assert (caught.value.reason, caught.value.retry_after_s) == (reason, 5)
        assert asyncio.get_running_loop().time() < 0.1  # nobody waits while a phone rings

    test()


@virtual
async def test_whoever_has_patience_gets_what_is_warm_soon() -> None:
    cluster = Cluster({"own": FULL, "a": STARTING})
    assert await cluster.pools().reserve("s1", for_s=45.0, patience_s=3.0) == "a"
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)


@virtual
async def test_a_reservation_outlasts_the_restart_of_a_pool() -> None:
    cluster = Cluster({"own": 1}, dead={"own"})
    waiting = asyncio.create_task(cluster.pools().reserve("s1", for_s=45.0, patience_s=0.0))
    await asyncio.sleep(2.0)
    cluster.dead = set()
    assert await waiting == "own"


@virtual
async def test_the_cluster_takes_calls_while_any_pool_answers_be_it_full() -> None:
    await Cluster({"own": 0, "a": 0}, dead={"own"}).pools().check()
    with pytest.raises(NoCapacity):
        await Cluster({"own": 1, "a": 1}, dead={"own", "a"}).pools().check()


@virtual
async def test_what_a_pool_does_not_hear_is_known() -> None:
    cluster = Cluster({"own": 1, "a": 1}, dead={"own"})
    pools = cluster.pools()
    assert not await pools.tell("own", "lost", "actor", "s1")
    assert await pools.tell("a", "cancel", "s1")
