"""Where things are on several nodes: pools, calls and their media, replicas, speech-to-text workers."""

import asyncio

import pytest

from actors.cluster.actor import KEEPER
from tests.integration.nodes.calls import Office, way_of
from tests.integration.nodes.conftest import CALL_NODES, SLOTS, Site
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]


async def test_every_call_node_has_a_pool_and_the_head_only_what_looks_after_them(site: Site) -> None:
    cluster = await site.whole()
    assert set(cluster.pools()) == cluster.alive()
    where = {name: cluster.node_of(name) for name in cluster.actors if not name.startswith("SERVE")}
    assert {name for name, node in where.items() if node == "head"} == {KEEPER}
    assert set(cluster.replica_nodes()) <= cluster.alive()


async def test_a_full_cluster_carries_calls_across_its_nodes_and_each_is_heard_and_answered(
    site: Site, world: World, office: Office
) -> None:
    await site.whole()
    calls = [await office.call() for _ in range(CALL_NODES * SLOTS)]
    cluster = site.control.look()
    ways = [way_of(call, cluster) for call in calls]
    actor_nodes = [way.actor_node for way in ways]
    assert {node: actor_nodes.count(node) for node in actor_nodes} == dict.fromkeys(cluster.alive(), SLOTS)
    crossing = [way for way in ways if way.actor_node != way.replica_node]
    assert crossing
    for call in calls:
        assert call.carrier_call_id is not None
    logs = await asyncio.gather(*(office.over(call.session_id, 60) for call in calls))
    for log in logs:
        heard = " ".join(turn.content for turn in log.turns if turn.role == "user")
        assert ("appointment" in heard, "tuesday" in heard.lower()) == (True, True)
    for report in [await world.report({"exotelCallSid": log.carrier_call_id}) for log in logs]:
        assert len(report.agent_speech) >= 3
        assert not report.violations


async def test_speech_to_text_on_a_cpu_is_anywhere_but_on_the_head(site: Site) -> None:
    cluster = await site.whole()
    placed = site.control.ask("place", "cpu", str(CALL_NODES + 1))
    assert {cluster.name_of(node) for node in placed.values()} <= cluster.alive()


async def test_each_speech_to_text_worker_on_a_gpu_has_one_of_its_own(site: Site) -> None:
    cluster = await site.whole()
    placed = site.control.ask("place", "cuda", str(CALL_NODES + 1))
    nodes = [cluster.name_of(node) for node in placed.values() if node is not None]
    assert sorted(nodes) == sorted(cluster.alive())
