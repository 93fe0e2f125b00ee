"""Starting and stopping all of our actors on a Ray cluster; synchronous, for whoever deploys."""

import contextlib
from typing import Any

import ray
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.billing import actor as ledger
from actors.billing.shards import LEDGER_PREFIX
from actors.call_session.actor import CALL_DRIVER
from actors.call_session.pool import START_S, CallPool
from actors.handles import CALL_PREFIX, LOGICAL_CPU, POOL_PREFIX, NodeFleet, kill, names, pool_name
from actors.speech_to_text.answers import PREFIX as SPEECH_TO_TEXT_PREFIX
from models.errors import CallboardError
from models.settings import Settings

GOODBYE_S = 3.0
STARTS_AT_ONCE = 2
"""More cold starts at the same time take longer in all on a small machine."""


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
    for name in names(namespace, POOL_PREFIX):  # first, or they would replace what dies
        kill(namespace, name)
    calls = names(namespace, CALL_PREFIX)
    leaving: list[Any] = []
    for name in calls:
        with contextlib.suppress(ValueError):  # it died since it was listed
            leaving.append(ray.get_actor(name, namespace).leave.remote(GOODBYE_S))
    if leaving:
        ray.wait(leaving, num_returns=len(leaving), timeout=GOODBYE_S)
    for name in (*calls, *names(namespace, LEDGER_PREFIX), *names(namespace, SPEECH_TO_TEXT_PREFIX)):
        kill(namespace, name)


def _start_pool(settings: Settings, node_id: str, driver: str) -> Any:
    options = {
        "name": pool_name(node_id),
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
