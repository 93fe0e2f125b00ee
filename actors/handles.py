"""Everybody's way to Ray: names, handles and timeouts of our actors, and Ray's errors in words of our own."""

import asyncio
import contextlib
import logging
import os
import signal
import time
import uuid
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors import metrics
from actors.call_session.actor import CallSession
from actors.call_session.door import Endpoint
from actors.call_session.pool import START_S, ActorLost, Health, Lease
from actors.pools import Pools
from models.call import Call, SessionId
from models.errors import CallboardError
from models.settings import Settings
from services import meters

logger = logging.getLogger(__name__)

POOL_PREFIX = "call_pool:"
CALL_PREFIX = "call:"
CALL_SLOTS = "call_slots"
"""The Ray resource of which a node has one for each live call."""
PROCESS_TITLE = b"ray::CallSession"
ASK_S = 5.0
TELL_AGAIN_S = 1.0
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


def pool_name(node_id: str) -> str:
    """What the pool of a node is called."""
    return POOL_PREFIX + node_id[:12]


def names(namespace: str, prefix: str) -> list[str]:
    """Our actors whose names begin so."""
    found: list[dict[str, str]] = list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in found if actor["namespace"] == namespace and actor["name"].startswith(prefix)]


def kill(namespace: str, name: str) -> None:
    """End an actor, whatever it does; one that is gone already is no news."""
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(name, namespace))


class NodeFleet:
    """The call actors of one node; a `Fleet` for its pool. They are detached, so they outlive a pool that crashes.

    `revision` names this version of the product with these settings; actors of another one are told by their names.
    """

    def __init__(self, settings: Settings, node_id: str, driver: str, revision: str) -> None:
        self._settings = settings
        self._node_id = node_id
        self._driver = driver
        self._node = f"{CALL_PREFIX}{node_id[:12]}:"
        self._current = f"{self._node}{revision}:"
        self._handles: dict[str, Any] = {}
        self._pids: dict[str, int] = {}

    def new_name(self) -> str:
        """A name no actor has had."""
        return self._current + uuid.uuid4().hex

    def is_current(self, name: str) -> bool:
        """Whether its name has our revision."""
        return name.startswith(self._current)

    async def existing(self) -> list[str]:
        """The node's call actors, of all revisions."""
        metrics.export()  # this is the pool's process, and it has just begun
        return await asyncio.to_thread(names, self._settings.ray_namespace, self._node)

    async def start(self, name: str) -> None:
        """Start one and wait until it is warm."""
        options = {
            "name": name,
            "namespace": self._settings.ray_namespace,
            "lifetime": "detached",
            "num_cpus": LOGICAL_CPU,
            "resources": {CALL_SLOTS: 1},
            "scheduling_strategy": NodeAffinitySchedulingStrategy(self._node_id, soft=False),
        }
        actor = ray.remote(CallSession).options(**options)
        self._handles[name] = await asyncio.to_thread(actor.remote, self._settings, self._driver)
        try:
            await ask(self._handles[name].warm.remote(), START_S)
        except ActorLost as error:
            raise ActorLost(_last_line(error)) from error

    async def begin(self, name: str, session_id: str) -> Endpoint:
        """Have it expect a call."""
        return await ask((await self._handle(name)).begin.remote(session_id))

    async def settle(self, name: str, session_id: str, within_s: float) -> Health:
        """Its health, once it is done with the call."""
        return await ask((await self._handle(name)).settle.remote(session_id, within_s), within_s + ASK_S)

    async def health(self, name: str) -> Health:
        """Its health now."""
        health: Health = await ask((await self._handle(name)).health.remote())
        self._pids[name] = health.pid
        return health

    async def stop(self, name: str) -> None:
        """End it, whatever it does."""
        await asyncio.to_thread(kill, self._settings.ray_namespace, name)
        self._handles.pop(name, None)
        if (pid := self._pids.pop(name, None)) is not None:
            await asyncio.to_thread(_kill_process, pid)

    async def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = await _find(self._settings.ray_namespace, name)
        return self._handles[name]


class CallHandles:
    """What the edge does with call actors; also the `Actors` of the services."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.ray_namespace
        self._pools = Pools(self._ask_pool, self._known_pools, pool_name(ray.get_runtime_context().get_node_id()))
        self._handles: dict[str, Any] = {}
        self._errands: set[asyncio.Task[None]] = set()

    async def lease(self, call: Call, by: str = "") -> Lease:
        """A warm actor that waits for the call's connection; `by` is the socket that asks. Raises NoCapacity.

        Conflict: the call is with an actor already, and that has not been said to be lost.
        """
        began = time.monotonic()
        lease = await self._pools.lease(call.session_id, kept_at=call.pool, by=by)
        meters.observe("pool_lease_ms", 1000 * (time.monotonic() - began))
        if call.pool not in (None, lease.pool):
            self._send(self.cancel(call.pool or "", call.session_id))
        return lease

    async def check(self) -> None:
        """Return when a pool answers, full or not; raises NoCapacity."""
        await self._pools.check()

    async def release(self, lease: Lease) -> None:
        """Give the actor back. Should nobody be there to take it, its pool finds out by itself."""
        await self._pools.tell(lease.pool, "release", lease.actor, lease.session_id)

    async def lost(self, lease: Lease) -> None:
        """The connection to the actor broke: its pool sees to it that it lets go of the call, or is replaced."""
        if not await self._pools.tell(lease.pool, "lost", lease.actor, lease.session_id):
            self._send(self._tell_again(lease))

    async def reserve(self, session_id: SessionId, *, for_s: float, patience_s: float = 0.0) -> str:
        """Keep a warm actor for a call; returns the pool that does. Raises NoCapacity."""
        return await self._pools.reserve(session_id, for_s=for_s, patience_s=patience_s)

    async def cancel(self, pool: str, session_id: SessionId) -> None:
        """The call will not come. A pool that does not hear it lets the reservation lapse."""
        await self._pools.tell(pool, "cancel", session_id)

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

    async def _tell_again(self, lease: Lease) -> None:
        await asyncio.sleep(TELL_AGAIN_S)  # its pool is being restarted
        await self._pools.tell(lease.pool, "lost", lease.actor, lease.session_id)

    def _send(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _ask_pool(self, pool: str, method: str, *arguments: object, within_s: float) -> Any:
        try:
            if pool not in self._handles:
                self._handles[pool] = await _find(self._namespace, pool)
            return await ask(getattr(self._handles[pool], method).remote(*arguments), within_s)
        except ActorLost:
            self._handles.pop(pool, None)  # its successor is another actor of the same name
            raise

    async def _known_pools(self) -> list[str]:
        return await asyncio.to_thread(_pools_of_live_nodes)


def _last_line(error: ActorLost) -> str:
    """What went wrong in an actor's first moments: Ray has it at the end of a long story."""
    story = str(error.__cause__).strip().splitlines()
    return story[-1].strip() if story else str(error)


def _kill_process(pid: int) -> None:
    """Ray gives a frozen process 5 s, in which the edge would wait on its open connection, and a caller on the edge."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(PROCESS_TITLE):
            os.kill(pid, signal.SIGKILL)


def _pools_of_live_nodes() -> list[str]:
    """By the nodes and not by the actors' names, of which there is one for every live call."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [pool_name(node["NodeID"]) for node in nodes if node["Alive"] and CALL_SLOTS in node["Resources"]]


async def _find(namespace: str, name: str) -> Any:
    """A handle by name; asks Ray's control plane, which blocks, so from a thread."""
    try:
        return await asyncio.to_thread(ray.get_actor, name, namespace)
    except ValueError as error:
        raise ActorLost("no such actor") from error
