"""Real call actors that are killed under the media socket; the calls they carry are echoes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
import ray
from websockets.asyncio.client import connect

from actors.billing import actor as billing
from actors.call_session.actor import CallSession
from actors.call_session.pool import Lease
from actors.speech_to_text.answers import worker_names
from models.call import Call, CallStatus
from models.errors import NoCapacity
from models.settings import Settings
from tests.integration.carriers import address, echoes, stored
from tests.integration.edge import Replica, a_replica
from tests.local_ray import local_ray

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ECHO = "bench.echo:EchoDriver"
NAMESPACE = "call_actor_dies_test"


@dataclass
class Warm:
    """Two call actors, lent in turn and never taken back: `live_call.CallActors`."""

    actors: dict[str, Any]
    lent: list[Lease] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    async def lease(self, call: Call, by: str) -> Lease:
        """The next one."""
        if len(self.lent) == len(self.actors):
            raise NoCapacity("every call actor is busy")
        name = list(self.actors)[len(self.lent)]
        lease = Lease(name, call.session_id, await self.actors[name].begin.remote(call.session_id))
        self.lent.append(lease)
        return lease

    async def release(self, lease: Lease) -> None:
        """Waits until it is done with the call."""
        await self.actors[lease.actor].settle.remote(lease.session_id, 10.0)
        self.released.append(lease.actor)

    async def lost(self, lease: Lease) -> None:
        """Noted."""
        self.losses.append(lease.actor)


class Deaf:
    """Stands where the speech-to-text worker would; nobody asks it anything."""


@pytest.fixture(scope="module")
def warm(settings: Settings) -> Iterator[Warm]:
    own = settings.model_copy(update={"ray_namespace": NAMESPACE, "stt_workers": 1, "billing_shards": 1})
    with local_ray(NAMESPACE):
        others = [ray.remote(Deaf).options(name=worker_names(1)[0]).remote(), *billing.start(own)]
        names = [uuid.uuid4().hex for _ in range(2)]
        made: dict[str, Any] = {
            name: ray.remote(CallSession).options(name=name, num_cpus=0.01).remote(own, ECHO) for name in names
        }
        ray.get([actor.warm.remote() for actor in made.values()])
        yield Warm(made)
        for other in others:
            ray.kill(other)


@pytest.fixture
async def replica(settings: Settings, warm: Warm) -> AsyncIterator[Replica]:
    async with a_replica(settings, warm) as running:
        yield running


def behind(lease: Lease) -> psutil.Process:
    """The process of the actor."""
    for child in psutil.Process().children(recursive=True):
        listening = {each.laddr.port for each in child.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
        if lease.endpoint.port in listening:
            return child
    raise AssertionError("no process listens there")


async def test_the_carrier_of_a_killed_actor_is_carried_on_by_another(
    replica: Replica, settings: Settings, warm: Warm
) -> None:
    call = await stored(replica)
    async with connect(address(replica, settings, call)) as carrier:
        assert await echoes(carrier)
        behind(warm.lent[0]).kill()
        await carrier.send("are you there?")
        async with asyncio.timeout(5):
            while await carrier.recv() != "are you there?":
                continue
            while not warm.losses:  # noqa: ASYNC110 - the one that dies may have answered
                await asyncio.sleep(0.05)
        assert warm.losses == [warm.lent[0].actor]
        lease = (await replica.repositories.calls.session(call.session_id)).lease
        assert lease is not None
        assert lease.actor == warm.lent[1].actor
    async with asyncio.timeout(20):
        while not warm.released:  # noqa: ASYNC110 - what it waits for is in another process
            await asyncio.sleep(0.05)
    over = await replica.repositories.calls.session(call.session_id)
    assert (over.status, over.end_reason) == (CallStatus.COMPLETED, "hangup")
