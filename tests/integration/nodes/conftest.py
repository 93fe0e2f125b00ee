"""The product on several Ray nodes of this machine, deployed once for the tests of this folder.

A head that takes no calls, and three call nodes; two of them have a Serve replica. MongoDB and Redis are the session's,
with a database of its own.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest
from pydantic import SecretStr

from actors.cluster.actor import KEEPER
from cli.background import background
from cli.embedded.places import runtime_path
from cli.embedded.ports import free_port
from cli.serve_child import serve_child
from models.settings import Settings
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.integration.nodes.calls import Office
from tests.integration.nodes.machines import Cluster, Control, Machines, control
from tests.integration.product.world import World, a_world

CALL_NODES = 3
SLOTS = 2
GPUS = 1
"""What Ray is told of a node; nobody looks for one."""
READY_S = 40.0
LOOK_S = 0.3


@dataclass
class Site:
    """The running product and its machines."""

    machines: Machines
    control: Control
    settings: Settings
    _numbers: Iterator[int]

    def join(self) -> str:
        """Start one more call node; its name."""
        name = f"calls-{next(self._numbers)}"
        self.machines.join(name, slots=SLOTS, gpus=GPUS)
        return name

    async def whole(self) -> Cluster:
        """Bring the cluster to CALL_NODES call nodes with a pool each, all of them idle, and two replicas."""
        for name in sorted(self.machines.names)[CALL_NODES:]:
            self.machines.kill(name)
        for _ in range(CALL_NODES - len(self.machines.names)):
            self.join()
        async with asyncio.timeout(READY_S):
            while not self._is_whole(cluster := self.control.look()):  # noqa: ASYNC110 - it is in other processes
                await asyncio.sleep(LOOK_S)
        return cluster

    def _is_whole(self, cluster: Cluster) -> bool:
        actors = sum(name.startswith("call:") for name in cluster.actors)
        has_pools = KEEPER in cluster.actors and set(cluster.pools()) == cluster.alive() == self.machines.names
        return has_pools and actors == CALL_NODES * SLOTS and len(cluster.replicas) == 2


@pytest.fixture(scope="package")
def site(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The product, deployed."""
    place = tmp_path_factory.mktemp("nodes")
    own = settings.model_copy(
        update={
            "callboard_data_dir": place,
            "mongodb_database": f"{settings.mongodb_database}_nodes",
            "port": free_port(),
            "serve_proxies": "head-only",
            "serve_replicas": 2,
            "stt_workers": 2,
            "stt_threads": 1,
            "call_slots": SLOTS,
            "call_idle_min": SLOTS,
            "signup_credits_micros": 50_000_000,
            "exotel_base_url": f"http://127.0.0.1:{free_port()}",
            "openai_base_url": f"http://127.0.0.1:{free_port()}/v1",
            "openai_api_key": SecretStr("test"),
            "elevenlabs_base_url": f"http://127.0.0.1:{free_port()}",
            "elevenlabs_api_key": SecretStr("test"),
        }
    )
    with background(place / "logs") as nodes, background(place / "logs") as product:
        machines = Machines(nodes, place / "logs", own)
        with control(machines.settings) as driver:
            running = Site(machines, driver, machines.settings, count(1))
            for _ in range(CALL_NODES):
                running.join()
            product.start(replace(serve_child(machines.settings, local_ray=True), stop_grace_s=20.0))
            yield running
            product.stop()
            for name in list(machines.names):
                machines.kill(name)
    shutil.rmtree(runtime_path(place), ignore_errors=True)


@pytest.fixture
async def world(site: Site) -> AsyncIterator[World]:
    """The product with the vendors of one test."""
    async with a_world(site.settings) as started:
        yield started


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    """A customer who dials."""
    async with connect(world.settings) as client:
        agent_id = await world.customer.agent()
        phone = await world.customer.phone(agent_id)
        yield Office(world.customer, phone, agent_id, Repositories.over(database(client, world.settings)))
