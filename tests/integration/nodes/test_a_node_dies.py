"""A node is lost as in a power cut, in the middle of calls: only its own notice, none is forgotten, and others join."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from actors.call_session import prompt
from models.call import Call, CallStatus
from simulators.caller import HangUp, Say, Script, StaySilent, WaitForAgent
from simulators.carrier import Plan
from tests.integration.nodes.calls import Office, Way, way_of
from tests.integration.nodes.conftest import CALL_NODES, SLOTS, Site
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

FIRST, SECOND = "hello i would like to book an appointment", "tuesday please"
RESUMED_S = 6.0
MOST = 3
CLOSED_S = 40.0
"""The sweeper asks after 25 s without a word, every 5 s."""


def talks(silent_s: float, *lost: str) -> Plan:
    """A caller who speaks, is silent for so long while something happens, and speaks again."""
    steps = (WaitForAgent(), Say(FIRST), WaitForAgent(), StaySilent(silent_s), WaitForAgent(), Say(SECOND))
    script = Script((*steps, WaitForAgent(quiet_s=1.5), HangUp()))
    return Plan(script, dial_s=0.1, ring_s=0.2, lost=frozenset(lost))


def is_whole(call: Call) -> bool:
    """Whether it came to its end with both things the caller says, as well as a busy machine understands them."""
    return call.status is CallStatus.COMPLETED and sum(turn.role == "user" for turn in call.turns) >= 2


def said(call: Call) -> str:
    """What the caller heard of the agent, all of it."""
    return " ".join(turn.content for turn in call.turns if turn.role == "assistant")


async def answered(office: Office, ways: Sequence[Way]) -> None:
    """Wait until the agent has answered each caller's first words."""
    async with asyncio.timeout(30):
        for way in ways:
            while len((await office.stored(way.session_id)).turns) < 3:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(0.1)


async def test_calls_of_a_lost_node_go_on_at_others_and_calls_elsewhere_notice_nothing(
    site: Site, world: World, office: Office
) -> None:
    cluster = await site.whole()
    world.carrier.plans.default = talks(7.0)
    victim = min(cluster.alive() - set(cluster.replica_nodes()))
    calls = [await office.call() for _ in range(CALL_NODES * SLOTS)]
    ways = [way_of(call, site.control.look()) for call in calls]
    lost = [way for way in ways if way.actor_node == victim]
    elsewhere = [way for way in ways if way.actor_node != victim]
    assert len(lost) == SLOTS
    for way in elsewhere[SLOTS:]:
        await office.end(way.session_id)  # room for those that will be lost
    kept = elsewhere[:SLOTS]
    await answered(office, [*lost, *kept])

    site.machines.kill(victim)
    began = time.monotonic()
    moved = await asyncio.gather(*(office.moved(way, RESUMED_S) for way in lost))
    print(f"resumed elsewhere after {time.monotonic() - began:.1f} s")  # noqa: T201 - a measurement
    assert {call.status for call in moved} == {CallStatus.IN_PROGRESS}
    for way in kept:
        lease = (await office.stored(way.session_id)).lease
        assert lease is not None
        assert lease.actor == way.actor

    for way in lost:
        log = await office.over(way.session_id, 60)
        assert is_whole(log)
        assert prompt.RESUMED in said(log)
    for way in kept:
        log = await office.over(way.session_id, 60)
        assert is_whole(log)
        assert prompt.RESUMED not in said(log)
    assert await office.held() == 0


async def test_calls_of_a_lost_replica_are_closed_while_the_others_and_a_node_that_joins_take_calls(
    site: Site, world: World, office: Office
) -> None:
    cluster = await site.whole()
    world.carrier.plans.default = talks(6.0, "terminal")  # nobody tells that these calls are over
    victim = min(cluster.replica_nodes())
    ways: list[Way] = []
    while not any(way.replica_node == victim == way.actor_node for way in ways):
        if len(ways) == MOST:  # chance sends all of them elsewhere
            await office.end(ways.pop(0).session_id)
        ways.append(way_of(await office.call(), site.control.look()))
    await answered(office, ways)

    site.machines.kill(victim)
    began = time.monotonic()
    late = await office.call()
    print(f"a new call is connected after {time.monotonic() - began:.1f} s")  # noqa: T201 - a measurement
    await joins_and_takes_a_call(site, world, office)

    for way in ways:
        log = await office.over(way.session_id, CLOSED_S)
        assert log.ended_at is not None
        took = log.ended_at.timestamp() - (time.time() - (time.monotonic() - began))
        print(f"{way.actor_node} {way.replica_node}: {log.end_reason} after {took:.1f} s")  # noqa: T201 - a measurement
        if way.replica_node == victim:
            assert log.status is CallStatus.FAILED
        else:
            assert is_whole(log)
    assert is_whole(await office.over(late.session_id, 60))
    assert await office.held() == 0


async def joins_and_takes_a_call(site: Site, world: World, office: Office) -> None:
    """One more node has a pool soon, and its share of the calls once the others are full."""
    world.carrier.plans.default = Plan(Script((StaySilent(60),)), dial_s=0.1, ring_s=0.2)
    joined = site.join()
    async with asyncio.timeout(20):
        while joined not in site.control.look().pools():  # noqa: ASYNC110 - it is in other processes
            await asyncio.sleep(0.3)
    calls: list[Call] = []
    nodes: list[str] = []
    while joined not in nodes:
        calls.append(await office.call())
        nodes.append(way_of(calls[-1], site.control.look()).actor_node)
    for call in calls:
        await office.end(call.session_id)
