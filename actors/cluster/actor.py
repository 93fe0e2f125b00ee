"""The keeper as a Ray actor: one for the cluster, on its head, started again whenever it dies."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import ray
from ray.autoscaler.sdk import request_resources
from ray.exceptions import RayError

from actors import metrics
from actors.call_session.pool import ActorLost, PoolStats
from actors.cluster.keeper import Keeper, Unreachable
from actors.cluster.policy import Load, Node
from actors.cluster.pool import call_nodes, is_autoscaled, record, start_pool
from actors.handles import CALL_PREFIX, CALL_SLOTS, POOL_PREFIX, ask, kill, names
from actors.speech_to_text.answers import Health, worker_names
from models.errors import CallboardError
from models.settings import Settings

logger = logging.getLogger(__name__)

KEEPER = "callboard_keeper"
HEALTH_S = 1.0
HEAD = "node:__internal_head__"
"""Ray's own mark of the head node, among its resources."""
HEAD_SHARE = 0.001
"""As Serve's controller claims it. Bound softly to the id of a node instead, the keeper was not always there."""

_T = TypeVar("_T")


class KeeperActor:
    """Begins by itself, so that it does after a restart as well."""

    def __init__(self, settings: Settings, driver: str, revision: str) -> None:
        metrics.export()
        cluster = RayCluster(settings, driver, revision)
        keeper = Keeper(cluster, idle_min=settings.call_idle_min, node_slots=settings.call_slots)
        self._running = asyncio.get_running_loop().create_task(keeper.run())

    async def is_running(self) -> bool:
        """Whether it goes its rounds."""
        return not self._running.done()


class RayCluster:
    """Satisfies `keeper.Cluster`."""

    def __init__(self, settings: Settings, driver: str, revision: str) -> None:
        self._settings = settings
        self._driver = driver
        self._revision = revision
        self._pools: dict[str, Any] = {}

    async def nodes(self) -> list[Node]:
        """See Cluster."""
        return await _blocking(lambda: call_nodes(self._settings))

    async def pools(self) -> list[str]:
        """See Cluster."""
        found = await _blocking(lambda: names(self._settings.ray_namespace, POOL_PREFIX))
        return [name.removeprefix(POOL_PREFIX) for name in found]

    async def load(self, pool: str) -> Load:
        """See Cluster."""
        stats: PoolStats = await self._asked(pool, lambda handle: handle.stats.remote())
        return Load(stats.slots, stats.leased, stats.reserved, stats.is_draining)

    async def start(self, node: Node) -> None:
        """See Cluster."""
        await _blocking(lambda: self._start(node))
        logger.info("a node's pool was started", extra={"node": node.key, "slots": node.slots})

    async def replace(self, node: Node) -> None:
        """See Cluster."""
        self._pools.pop(node.key, None)
        await _blocking(lambda: kill(self._settings.ray_namespace, POOL_PREFIX + node.key))
        await self.start(node)

    async def drain(self, pool: str) -> None:
        """See Cluster."""
        await self._asked(pool, lambda handle: handle.drain.remote())

    async def close(self, pool: str) -> None:
        """See Cluster."""
        self._pools.pop(pool, None)
        await _blocking(lambda: self._close(pool))
        logger.info("a node's pool was closed", extra={"node": pool})

    async def admit(self, pool: str, is_admitting: bool) -> None:
        """See Cluster."""
        await self._asked(pool, lambda handle: handle.admit.remote(is_admitting))

    async def listening(self) -> list[bool | None]:
        """See Cluster."""
        return list(await asyncio.gather(*(self._hears(name) for name in worker_names(self._settings.stt_workers))))

    async def has_autoscaler(self) -> bool:
        """See Cluster."""
        return await _blocking(is_autoscaled)

    async def ask_for(self, nodes: int) -> None:
        """See Cluster."""
        await _blocking(lambda: request_resources(bundles=[{CALL_SLOTS: self._settings.call_slots}] * nodes))

    async def _hears(self, name: str) -> bool | None:
        """Whether a worker would take another call; None: it is late. A dead one would not."""
        try:
            worker = await asyncio.to_thread(ray.get_actor, name, self._settings.ray_namespace)
            health: Health = await ask(worker.health.remote(), HEALTH_S)
        except TimeoutError:
            return None
        except (ActorLost, CallboardError, ValueError):
            return False
        return health.is_admitting

    async def _asked(self, pool: str, question: Callable[[Any], Any]) -> Any:
        try:
            if pool not in self._pools:
                name, namespace = POOL_PREFIX + pool, self._settings.ray_namespace
                self._pools[pool] = await asyncio.to_thread(ray.get_actor, name, namespace)
            return await ask(question(self._pools[pool]))
        except (ActorLost, CallboardError, ValueError) as error:
            self._pools.pop(pool, None)
            raise Unreachable(str(error)) from error

    def _start(self, node: Node) -> None:
        start_pool(self._settings, node, driver=self._driver, revision=self._revision)

    def _close(self, pool: str) -> None:
        kill(self._settings.ray_namespace, POOL_PREFIX + pool)
        for name in names(self._settings.ray_namespace, f"{CALL_PREFIX}{pool}:"):
            kill(self._settings.ray_namespace, name)


def start(settings: Settings, *, driver: str, revision: str) -> Any:
    """The keeper's handle, started now or running already."""
    options = {
        "name": KEEPER,
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_restarts": -1,
        "num_cpus": 0,  # a head that offers no CPU, so that no call lands on it, has room for this
        "resources": {HEAD: HEAD_SHARE},
    }
    keeper = ray.remote(KeeperActor).options(**options).remote(settings, driver, revision)
    record(settings.ray_namespace, KEEPER, revision)
    return keeper


def stop(namespace: str) -> None:
    """End the keeper, and what it asked an autoscaler for with it."""
    kill(namespace, KEEPER)
    if is_autoscaled():
        request_resources(bundles=[])


async def _blocking(work: Callable[[], _T]) -> _T:
    """Ask Ray's control plane, which blocks, from a thread."""
    try:
        return await asyncio.to_thread(work)
    except (RayError, ValueError, RuntimeError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
