"""Starting, renewing and stopping all of our actors on a Ray cluster; synchronous, for whoever deploys.

What runs already from the same code and settings is left alone. What is older is replaced under its own name, a few at
a time, so that there is always somebody else to ask; live calls stay with the call actors they have.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from actors import campaigns
from actors.billing import actor as ledger
from actors.billing.shards import LEDGER_PREFIX, writer_name
from actors.call_session.actor import CALL_DRIVER
from actors.call_session.pool import START_S
from actors.cluster import actor as keeper
from actors.cluster.policy import Node
from actors.cluster.pool import call_nodes, is_autoscaled, record, recorded, start_pool
from actors.cluster.revision import revision_of
from actors.handles import CALL_PREFIX, CALL_SLOTS, POOL_PREFIX, kill, names, pool_name
from actors.speech_to_text.answers import PREFIX as SPEECH_TO_TEXT_PREFIX, worker_names
from models.errors import CallboardError, Unavailable
from models.settings import Settings

GOODBYE_S = 3.0
JOIN_S = 600.0
"""How long the first node of an autoscaled cluster may take to join."""
POLL_S = 0.5
ANSWER_S = 5.0
WAVES = 8
"""An upgrade renews the pools of so many parts of the cluster one after the other; the others take the calls."""


def start_actors(settings: Settings, *, driver: str = CALL_DRIVER) -> str:
    """Start what is missing, replace what is older and wait until all of it is warm; returns the revision.

    Raises Unavailable when no node takes calls, and whatever keeps an actor from starting.
    """
    revision = revision_of(settings, driver=driver)
    nodes = _wait_for_nodes(settings)
    pools = _outdated_pools(settings, nodes, revision)
    if pools or recorded(settings.ray_namespace, keeper.KEEPER) != revision:
        # It would bring back what is being replaced, and remembers which nodes were drained.
        kill(settings.ray_namespace, keeper.KEEPER)
    try:
        with _own_errors():
            _renew_writers(settings, revision)
            _renew_workers(settings, revision)
            for wave in _waves(pools):
                _renew_pools(settings, wave, driver=driver, revision=revision)
            _open(settings, nodes, driver=driver, revision=revision)
            campaigns.renew(settings)  # last: they dial at once
    finally:  # what runs wants to be looked after whether all of it could be renewed or not
        keeper.start(settings, driver=driver, revision=revision)
    return revision


def stop_actors(namespace: str) -> None:
    """End every actor of ours; live calls get GOODBYE_S to write their end."""
    campaigns.stop(namespace)  # first of all: they would dial on
    keeper.stop(namespace)  # before the pools, or it would start them anew
    for name in names(namespace, POOL_PREFIX):  # before the call actors, or they would replace what dies
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


def _wait_for_nodes(settings: Settings) -> list[Node]:
    give_up = time.monotonic() + JOIN_S
    while not (nodes := call_nodes(settings)):
        if not is_autoscaled() or time.monotonic() > give_up:
            raise Unavailable(
                f"no node takes calls: start Ray on one with --resources='{{\"{CALL_SLOTS}\": {settings.call_slots}}}'"
            )
        time.sleep(POLL_S)
    return nodes


# --- parts that keep nothing: killed and started again, one by one --------------------------------------
def _renew_writers(settings: Settings, revision: str) -> None:
    wanted = [writer_name(shard) for shard in range(settings.billing_shards)]
    _renew(settings, revision, LEDGER_PREFIX, wanted, lambda: [w.ready.remote() for w in ledger.start(settings)])


def _renew_workers(settings: Settings, revision: str) -> None:
    from actors.speech_to_text import worker  # replicas import this file and need no Whisper

    wanted = worker_names(settings.stt_workers)
    _renew(
        settings, revision, SPEECH_TO_TEXT_PREFIX, wanted, lambda: [w.health.remote() for w in worker.start(settings)]
    )


def _renew(
    settings: Settings, revision: str, prefix: str, wanted: Sequence[str], start: Callable[[], list[Any]]
) -> None:
    """Have all of `wanted` run from this revision. `start` starts those that do not run, and asks all of them."""
    namespace = settings.ray_namespace
    running = names(namespace, prefix)
    for name in running:
        if name in wanted and recorded(namespace, name) != revision:
            kill(namespace, name)
            _get(start(), START_S)
            record(namespace, name, revision)
    _get(start(), START_S)
    for name in wanted:
        record(namespace, name, revision)
    for name in set(running) - set(wanted):
        kill(namespace, name)


# --- pools: their calls outlive them ---------------------------------------------------------------------
def _outdated_pools(settings: Settings, nodes: Sequence[Node], revision: str) -> list[Node]:
    """Nodes whose pool was started from something else, or drained: whoever deploys wants calls to be taken."""
    running = set(names(settings.ray_namespace, POOL_PREFIX))
    return [
        node
        for node in nodes
        if (name := pool_name(node.id)) in running
        and (recorded(settings.ray_namespace, name) != revision or _is_drained(settings.ray_namespace, name))
    ]


def _is_drained(namespace: str, name: str) -> bool:
    try:
        stats: Any = ray.get(ray.get_actor(name, namespace).stats.remote(), timeout=ANSWER_S)
    except (RayError, ValueError):
        return False
    return bool(stats.is_draining)


def _renew_pools(settings: Settings, nodes: Sequence[Node], *, driver: str, revision: str) -> None:
    for node in nodes:
        kill(settings.ray_namespace, pool_name(node.id))
    _open(settings, nodes, driver=driver, revision=revision)


def _open(settings: Settings, nodes: Sequence[Node], *, driver: str, revision: str) -> None:
    pools = [start_pool(settings, node, driver=driver, revision=revision) for node in nodes]
    _get([pool.open.remote() for pool in pools], START_S * (1 + settings.call_idle_min))


def _waves(nodes: Sequence[Node]) -> Iterator[Sequence[Node]]:
    size = -(-len(nodes) // WAVES)
    for first in range(0, len(nodes), max(1, size)):
        yield nodes[first : first + size]


def _get(answers: list[Any], within_s: float) -> None:
    ray.get(answers, timeout=within_s)


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    """An error of ours comes out of Ray as itself."""
    try:
        yield
    except RayTaskError as error:
        if isinstance(error.cause, CallboardError):
            raise error.cause from error
        raise
