"""Everybody's way to Ray: names, handles and timeouts of our actors, and Ray's errors in words of our own."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.call_session.actor import CallSession
from actors.call_session.door import Endpoint
from actors.call_session.pool import START_S, ActorLost, Health, Lease
from models.call import Call, SessionId
from models.errors import CallboardError, NoCapacity
from models.settings import Settings

logger = logging.getLogger(__name__)

POOL_PREFIX = "call_pool:"
CALL_PREFIX = "call:"
ASK_S = 5.0
LOGICAL_CPU = 0.01
"""What an actor claims in Ray's books: its real share is small, and the pools bound how many there are."""

_T = TypeVar("_T")


async def ask(answer: Awaitable[_T], within_s: float = ASK_S) -> _T:
    """Await an actor's answer. ActorLost: it is dead; TimeoutError: it is late; an error of ours comes as itself."""
    try:
        async with asyncio.timeout(within_s):
            return await answer
    except RayTaskError as error:
        if isinstance(error.cause, CallboardError):
            raise error.cause from error
        raise ActorLost(f"{type(error.cause).__name__}: {error.cause}") from error
    except RayError as error:
        raise ActorLost(type(error).__name__) from error


class NodeFleet:
    """The call actors of one node; a `Fleet` for its pool. They are detached, so they outlive a pool that crashes."""

    def __init__(self, settings: Settings, node_id: str, driver: str) -> None:
        self._settings = settings
        self._node_id = node_id
        self._driver = driver
        self._prefix = f"{CALL_PREFIX}{node_id[:12]}:"
        self._handles: dict[str, Any] = {}

    def new_name(self) -> str:
        """A name no actor has had."""
        return self._prefix + uuid.uuid4().hex

    async def existing(self) -> list[str]:
        """The node's call actors."""
        return await asyncio.to_thread(names, self._settings.ray_namespace, self._prefix)

    async def start(self, name: str) -> None:
        """Start one and wait until it is warm."""
        options = {
            "name": name,
            "namespace": self._settings.ray_namespace,
            "lifetime": "detached",
            "num_cpus": LOGICAL_CPU,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(self._node_id, soft=False),
        }
        actor = ray.remote(CallSession).options(**options)
        self._handles[name] = await asyncio.to_thread(actor.remote, self._settings, self._driver)
        await ask(self._handles[name].warm.remote(), START_S)

    async def begin(self, name: str, session_id: str) -> Endpoint:
        """Have it expect a call."""
        return await ask((await self._handle(name)).begin.remote(session_id))

    async def settle(self, name: str, session_id: str, within_s: float) -> Health:
        """Its health, once it is done with the call."""
        return await ask((await self._handle(name)).settle.remote(session_id, within_s), within_s + ASK_S)

    async def health(self, name: str) -> Health:
        """Its health now."""
        return await ask((await self._handle(name)).health.remote())

    async def stop(self, name: str) -> None:
        """End it, whatever it does."""
        await asyncio.to_thread(kill, self._settings.ray_namespace, name)
        self._handles.pop(name, None)

    async def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = await _find(self._settings.ray_namespace, name)
        return self._handles[name]


class CallHandles:
    """What the edge does with call actors; also the `Actors` of the services."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.ray_namespace
        self._own_pool = pool_name(ray.get_runtime_context().get_node_id())
        self._pools: dict[str, Any] = {}
        self._lenders: dict[Lease, str] = {}

    async def lease(self, session_id: str) -> Lease:
        """A warm actor that waits for the call's connection, from this node if it has one; raises NoCapacity."""
        lease = await self._lease_from(self._own_pool, session_id)
        if lease is None:
            found = await asyncio.to_thread(names, self._namespace, POOL_PREFIX)
            for name in sorted(set(found) - {self._own_pool}):
                lease = lease or await self._lease_from(name, session_id)
        if lease is None:
            raise NoCapacity("every call actor is busy")
        return lease

    async def release(self, lease: Lease) -> None:
        """Give the actor back. Should nobody be there to take it, its pool finds out by itself."""
        name = self._lenders.pop(lease)
        try:
            await ask((await self._pool(name)).release.remote(lease.actor, lease.session_id))
        except (ActorLost, TimeoutError) as error:
            logger.warning("a call actor could not be given back", extra={"actor": lease.actor, "problem": str(error)})

    async def end(self, call: Call, reason: str) -> bool:
        """End a live call at its actor; False: no actor has it."""
        if call.lease is None:
            return False
        try:
            actor = await _find(self._namespace, call.lease.actor)
            return bool(await ask(actor.end.remote(call.session_id, reason)))
        except (ActorLost, TimeoutError) as error:
            logger.warning("a call's actor did not end it", extra={"call_id": call.id, "problem": str(error)})
            return False

    async def carries(self, call: Call) -> bool:
        """Whether the call's actor is alive and with this call; one that is slow to say so is taken at its word."""
        if call.lease is None:
            return False
        try:
            health: Health = await ask((await _find(self._namespace, call.lease.actor)).health.remote())
        except TimeoutError:
            return True
        except ActorLost:
            return False
        return health.session_id == call.session_id

    async def reserve(self, session_id: SessionId, *, for_s: float, patience_s: float = 0.0) -> str:
        """Nothing is kept yet: the pool of this node is named."""
        return self._own_pool

    async def cancel(self, pool: str, session_id: SessionId) -> None:
        """Nothing was kept."""

    async def _lease_from(self, pool: str, session_id: str) -> Lease | None:
        try:
            lease: Lease | None = await ask((await self._pool(pool)).lease.remote(session_id))
        except (ActorLost, TimeoutError) as error:
            logger.warning("a pool did not answer", extra={"pool": pool, "problem": str(error)})
            self._pools.pop(pool, None)
            return None
        if lease is not None:
            self._lenders[lease] = pool
        return lease

    async def _pool(self, name: str) -> Any:
        if name not in self._pools:
            self._pools[name] = await _find(self._namespace, name)
        return self._pools[name]


def pool_name(node_id: str) -> str:
    """What the pool of a node is called."""
    return POOL_PREFIX + node_id[:12]


def names(namespace: str, prefix: str) -> list[str]:
    """Our actors whose names begin so."""
    found: list[dict[str, str]] = list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in found if actor["namespace"] == namespace and actor["name"].startswith(prefix)]


async def _find(namespace: str, name: str) -> Any:
    """A handle by name; asks Ray's control plane, which blocks, so from a thread."""
    try:
        return await asyncio.to_thread(ray.get_actor, name, namespace)
    except ValueError as error:
        raise ActorLost("no such actor") from error


def kill(namespace: str, name: str) -> None:
    """End an actor, whatever it does; one that is gone already is no news."""
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(name, namespace))
