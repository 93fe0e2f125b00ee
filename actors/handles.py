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

from actors.billing import actor as ledger
from actors.billing.shards import LEDGER_PREFIX
from actors.call_session.actor import CALL_DRIVER, CallSession
from actors.call_session.door import Endpoint
from actors.call_session.pool import START_S, ActorLost, CallPool, Health, Lease
from actors.speech_to_text.answers import PREFIX as SPEECH_TO_TEXT_PREFIX
from models.call import Call
from models.errors import CallboardError, NoCapacity
from models.settings import Settings

logger = logging.getLogger(__name__)

POOL_PREFIX = "call_pool:"
CALL_PREFIX = "call:"
ASK_S = 5.0
GOODBYE_S = 3.0
STARTS_AT_ONCE = 2
"""More cold starts at the same time take longer in all on a small machine."""
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
        return await asyncio.to_thread(_names, self._settings.ray_namespace, self._prefix)

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
        await asyncio.to_thread(_kill, self._settings.ray_namespace, name)
        self._handles.pop(name, None)

    async def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = await _find(self._settings.ray_namespace, name)
        return self._handles[name]


class CallHandles:
    """What the edge does with call actors; also the `CallControl` of the services."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.ray_namespace
        self._own_pool = _pool_name(ray.get_runtime_context().get_node_id())
        self._pools: dict[str, Any] = {}
        self._lenders: dict[Lease, str] = {}

    async def lease(self, session_id: str) -> Lease:
        """A warm actor that waits for the call's connection, from this node if it has one; raises NoCapacity."""
        lease = await self._lease_from(self._own_pool, session_id)
        if lease is None:
            names = await asyncio.to_thread(_names, self._namespace, POOL_PREFIX)
            for name in sorted(set(names) - {self._own_pool}):
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


# --- starting and stopping it all; synchronous, for the driver ---------------------------------------------
def start_actors(settings: Settings, *, driver: str = CALL_DRIVER) -> None:
    """Start speech to text and every node's pool, or find them running, and wait until all of it is warm."""
    from actors.speech_to_text import worker as speech_to_text  # replicas import this file and need no Whisper

    writing = [writer.ready.remote() for writer in ledger.start(settings)]
    listening = [worker.health.remote() for worker in speech_to_text.start(settings)]
    opening = [_start_pool(settings, node, driver).open.remote() for node in _nodes()]
    try:
        ray.get([*writing, *listening, *opening], timeout=START_S * (1 + settings.call_slots / STARTS_AT_ONCE))
    except RayTaskError as error:
        if isinstance(error.cause, CallboardError):
            raise error.cause from error
        raise


def stop_actors(namespace: str) -> None:
    """End every actor of ours; live calls get GOODBYE_S to write their end."""
    for name in _names(namespace, POOL_PREFIX):  # first, or they would replace what dies
        _kill(namespace, name)
    calls = _names(namespace, CALL_PREFIX)
    leaving: list[Any] = []
    for name in calls:
        with contextlib.suppress(ValueError):  # it died since it was listed
            leaving.append(ray.get_actor(name, namespace).leave.remote(GOODBYE_S))
    if leaving:
        ray.wait(leaving, num_returns=len(leaving), timeout=GOODBYE_S)
    for name in (*calls, *_names(namespace, LEDGER_PREFIX), *_names(namespace, SPEECH_TO_TEXT_PREFIX)):
        _kill(namespace, name)


def _start_pool(settings: Settings, node_id: str, driver: str) -> Any:
    options = {
        "name": _pool_name(node_id),
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_restarts": -1,
        "num_cpus": LOGICAL_CPU,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node_id, soft=False),
    }
    fleet = NodeFleet(settings, node_id, driver)
    return ray.remote(CallPool).options(**options).remote(fleet, settings.call_slots, STARTS_AT_ONCE)


def _nodes() -> list[str]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["NodeID"] for node in nodes if node["Alive"]]


def _pool_name(node_id: str) -> str:
    return POOL_PREFIX + node_id[:12]


def _names(namespace: str, prefix: str) -> list[str]:
    found: list[dict[str, str]] = list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in found if actor["namespace"] == namespace and actor["name"].startswith(prefix)]


async def _find(namespace: str, name: str) -> Any:
    """A handle by name; asks Ray's control plane, which blocks, so from a thread."""
    try:
        return await asyncio.to_thread(ray.get_actor, name, namespace)
    except ValueError as error:
        raise ActorLost("no such actor") from error


def _kill(namespace: str, name: str) -> None:
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(name, namespace))
