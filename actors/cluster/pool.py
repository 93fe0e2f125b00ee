"""Puts a pool on a node, and keeps book of which revision each lasting actor was started from. Blocking, on Ray.

The book is Ray's own key-value store: it lives exactly as long as the actors do. An actor that Ray restarts after a
crash is of the revision it was started from, whoever looks.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.core.generated.autoscaler_pb2 import DrainNodeReason  # type: ignore[attr-defined]
from ray.exceptions import RayError
from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.call_session.pool import CallPool, PoolStats
from actors.call_session.pool_policy import Rules
from actors.cluster.policy import Node
from actors.handles import CALL_SLOTS, LOGICAL_CPU, NodeFleet, pool_name
from models.errors import Unavailable
from models.settings import Settings

ANSWER_S = 5.0
GOES_AWAY = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
"""Ray's other reason, that a node is idle, is refused for one that is not."""
AUTOSCALED = "autoscaled"
"""The Ray resource that the head of a cluster offers when an autoscaler listens; Ray itself does not tell."""


def alive_nodes() -> list[dict[str, Any]]:
    """Ray's nodes that are alive, as Ray describes them."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in nodes if node["Alive"]]


def call_nodes(settings: Settings) -> list[Node]:
    """The nodes that take calls: each as many as it offers, and no more than `settings.call_slots`."""
    slots = {node["NodeID"]: int(node["Resources"].get(CALL_SLOTS, 0)) for node in alive_nodes()}
    return [Node(node, min(offered, settings.call_slots)) for node, offered in slots.items() if offered]


def is_autoscaled() -> bool:
    """Whether somebody adds nodes when they are asked for."""
    return any(AUTOSCALED in node["Resources"] for node in alive_nodes())


def start_pool(settings: Settings, node: Node, *, driver: str, revision: str) -> Any:
    """The handle of the node's pool, started now or running already."""
    name = pool_name(node.id)
    options = {
        "name": name,
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_restarts": -1,
        "num_cpus": LOGICAL_CPU,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node.id, soft=False),
    }
    fleet = NodeFleet(settings, node.id, driver, revision)
    pool = ray.remote(CallPool).options(**options).remote(fleet, Rules.of(settings, node.slots))
    record(settings.ray_namespace, name, revision)
    return pool


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool for people: where it is and how it does; None: it does not answer. `replicas` are Serve's on its node."""

    node_id: str
    address: str
    stats: PoolStats | None
    replicas: int = 0


def view(settings: Settings) -> list[PoolView]:
    """Every pool of the nodes that are alive, in the order of their addresses."""
    handles = {}
    for node in sorted(alive_nodes(), key=lambda node: (node["NodeManagerAddress"], node["NodeID"])):
        with contextlib.suppress(ValueError):  # no pool there
            handles[node["NodeID"]] = ray.get_actor(pool_name(node["NodeID"]), settings.ray_namespace)
    asked: dict[str, Any] = {node: handle.stats.remote() for node, handle in handles.items()}
    if asked:
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=ANSWER_S)
    addresses = {node["NodeID"]: node["NodeManagerAddress"] for node in alive_nodes()}
    replicas = Counter(_replica_nodes())
    return [PoolView(node, addresses.get(node, "gone"), _now(stats), replicas[node]) for node, stats in asked.items()]


def drain(settings: Settings, node_ids: Iterable[str]) -> None:
    """Let no further call into these nodes' pools; asked again by whoever sees that a pool does not drain."""
    for node_id in node_ids:
        with contextlib.suppress(ValueError, RayError):
            pool = ray.get_actor(pool_name(node_id), settings.ray_namespace)
            ray.get(pool.drain.remote(), timeout=ANSWER_S)


def leave(node_id: str, within_s: float) -> None:
    """Have Ray place nothing new on a node, and Serve move its replicas elsewhere, because it goes away for good."""
    client = GcsClient(address=ray.get_runtime_context().gcs_address)
    deadline_ms = int((time.time() + within_s) * 1000)
    is_accepted, reason = client.drain_node(node_id, GOES_AWAY, "callboard drain", deadline_ms)
    if not is_accepted:
        raise Unavailable(f"Ray keeps the node: {reason}")


def _replica_nodes() -> list[str]:
    """The node of every Serve replica, of those that only finish their calls as well."""
    from ray import serve
    from ray.serve.context import _get_global_client

    if not serve.status().applications:
        return []
    client: Any = _get_global_client()
    details = client.get_serve_details()
    deployments = [each for app in details["applications"].values() for each in app["deployments"].values()]
    return [replica["node_id"] for each in deployments for replica in each["replicas"]]


def _now(stats: Any) -> PoolStats | None:
    try:
        found: PoolStats = ray.get(stats, timeout=0)
    except RayError:
        return None
    return found


def record(namespace: str, name: str, revision: str) -> None:
    """Write down what the actor of this name was started from."""
    _internal_kv_put(_key(name), revision, overwrite=True, namespace=_book(namespace))


def recorded(namespace: str, name: str) -> str | None:
    """What the actor of this name was started from; None: nobody wrote it down."""
    found = _internal_kv_get(_key(name), namespace=_book(namespace))
    return found.decode() if found else None


def _key(name: str) -> str:
    return f"revision:{name}"


def _book(namespace: str) -> str:
    return f"callboard:{namespace}"
