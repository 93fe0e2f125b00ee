"""The keeper against a cluster that lives in this test."""

import asyncio
from dataclasses import dataclass, field

import pytest

from actors.cluster import keeper as keeper_module
from actors.cluster.keeper import Keeper, Unreachable
from actors.cluster.policy import RETIRE_AFTER_S, Load, Node

A, B = Node("a" * 56, 8), Node("b" * 56, 8)
OPEN = Load(slots=8, leased=0, reserved=0, is_draining=False)
FULL = Load(slots=8, leased=8, reserved=0, is_draining=False)


@dataclass
class Town:
    """Satisfies `keeper.Cluster`. `done` is what was asked of it, in order."""

    alive: list[Node] = field(default_factory=lambda: [A])
    loads: dict[str, Load] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    workers: list[bool | None] = field(default_factory=lambda: [True])
    autoscaled: bool = False
    done: list[tuple[str, object]] = field(default_factory=list)

    async def nodes(self) -> list[Node]:
        return list(self.alive)

    async def pools(self) -> list[str]:
        return list(self.loads)

    async def load(self, pool: str) -> Load:
        await self._answer(pool)
        return self.loads[pool]

    async def start(self, node: Node) -> None:
        await self._answer(node.key)
        self.loads[node.key] = OPEN
        self.done.append(("start", node.key))

    async def replace(self, node: Node) -> None:
        self.loads[node.key] = OPEN
        self.done.append(("replace", node.key))

    async def drain(self, pool: str) -> None:
        load = self.loads[pool]
        self.loads[pool] = Load(load.slots, load.leased, load.reserved, is_draining=True)
        self.done.append(("drain", pool))

    async def close(self, pool: str) -> None:
        del self.loads[pool]
        self.done.append(("close", pool))

    async def admit(self, pool: str, is_admitting: bool) -> None:
        await self._answer(pool)
        self.done.append(("admit" if is_admitting else "refuse", pool))

    async def listening(self) -> list[bool | None]:
        return list(self.workers)

    async def has_autoscaler(self) -> bool:
        return self.autoscaled

    async def ask_for(self, nodes: int) -> None:
        self.done.append(("ask for", nodes))

    async def _answer(self, pool: str) -> None:
        if pool in self.slow:
            await asyncio.sleep(3600)


@pytest.fixture
def town() -> Town:
    return Town()


def a_keeper(town: Town, now: list[float] | None = None) -> Keeper:
    times = now or [0.0]
    return Keeper(town, idle_min=4, node_slots=8, clock=lambda: times[0])


async def test_a_node_that_joins_gets_a_pool_and_is_told_how_it_is(town: Town) -> None:
    keeper = a_keeper(town)
    await keeper.round()
    await keeper.round()
    await keeper.round()
    assert town.done == [("start", A.key), ("admit", A.key)]


async def test_a_dead_node_loses_its_pool(town: Town) -> None:
    town.loads = {A.key: OPEN, B.key: FULL}
    await a_keeper(town).round()
    assert ("close", B.key) in town.done
    assert B.key not in town.loads


async def test_no_call_is_let_in_while_nobody_would_listen(town: Town) -> None:
    town.loads = {A.key: OPEN}
    keeper = a_keeper(town)
    await keeper.round()
    town.workers = [False]
    await keeper.round()
    town.workers = [True]
    await keeper.round()
    assert town.done == [("admit", A.key), ("refuse", A.key), ("admit", A.key)]


async def test_a_slow_node_holds_nobody_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "ANSWER_S", 0.01)
    town.alive, town.loads, town.slow = [A, B], {A.key: OPEN}, {A.key}
    keeper = a_keeper(town)
    await keeper.round()
    await keeper.round()
    assert town.done == [("start", B.key), ("admit", B.key)]


async def test_a_drained_pool_stays_drained_after_a_crash(town: Town) -> None:
    town.loads = {A.key: Load(8, 1, 0, is_draining=True)}
    keeper = a_keeper(town)
    await keeper.round()
    town.loads = {A.key: OPEN}
    await keeper.round()
    assert town.loads[A.key].is_draining


async def test_nobody_is_asked_for_nodes_where_nobody_adds_them(town: Town) -> None:
    town.loads = {A.key: FULL}
    await a_keeper(town).round()
    assert not [step for step in town.done if step[0] == "ask for"]


async def test_nodes_are_asked_for_as_calls_come_and_go(town: Town) -> None:
    town.autoscaled = True
    town.loads = {A.key: FULL}
    keeper = a_keeper(town)
    await keeper.round()
    await keeper.round()
    town.loads = {A.key: OPEN}
    await keeper.round()
    assert [step for step in town.done if step[0] == "ask for"] == [("ask for", 2), ("ask for", 1)]


async def test_a_node_nobody_needs_is_emptied_and_given_back_and_returns_when_it_is_needed(town: Town) -> None:
    town.autoscaled, town.alive = True, [A, B]
    town.loads = {A.key: OPEN, B.key: OPEN}
    now = [0.0]
    keeper = a_keeper(town, now)
    await keeper.round()
    now[0] = RETIRE_AFTER_S
    await keeper.round()
    assert town.loads[A.key].is_draining
    await keeper.round()
    assert A.key not in town.loads
    await keeper.round()
    town.loads[B.key] = FULL
    await keeper.round()
    assert town.done[-1] == ("replace", A.key)


async def test_a_cluster_that_does_not_answer_is_looked_at_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "ROUND_S", 0.0)
    rounds = 0

    async def nodes() -> list[Node]:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise Unreachable("the control plane is restarting")
        return [A]

    monkeypatch.setattr(town, "nodes", nodes)
    running = asyncio.create_task(a_keeper(town).run())
    while not town.done:  # noqa: ASYNC110 - the town has no event to offer
        await asyncio.sleep(0)
    running.cancel()
    assert town.done[0] == ("start", A.key)
