"""A pool on Ray with real call actors: what it does when their processes die or freeze, and how long that takes."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
import ray

from actors.call_session.pool import CallPool, Health, PoolStats
from actors.call_session.pool_policy import FULL, Rules
from actors.handles import LOGICAL_CPU, CallHandles, NodeFleet, names, pool_name
from actors.speech_to_text.answers import worker_names
from models.call import Call
from models.document import new_id
from models.errors import NoCapacity
from models.settings import Settings
from tests.documents import a_call
from tests.local_ray import local_ray

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ECHO = "bench.echo:EchoDriver"
NAMESPACE = "call_pool_test"
SLOTS = 3


class Nobody:
    """Has the name of a speech-to-text worker, which call actors look for; the echo never asks it."""


show = pytest.fixture(lambda capsys: lambda text: _show(capsys, text))


def _show(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n  {text}\n")


@pytest.fixture(scope="module")
def node(settings: Settings) -> Iterator[Settings]:
    """A Ray of this process's own, with room for a few calls."""
    with local_ray(NAMESPACE, call_slots=SLOTS):
        nobody: Any = ray.remote(Nobody).options(name=worker_names(1)[0], num_cpus=0).remote()
        yield settings.model_copy(update={"ray_namespace": NAMESPACE, "stt_workers": 1, "call_idle_min": SLOTS})
        ray.kill(nobody)


def started(settings: Settings, revision: str) -> Any:
    node_id = ray.get_runtime_context().get_node_id()
    options = {"name": pool_name(node_id), "lifetime": "detached", "max_restarts": -1, "num_cpus": LOGICAL_CPU}
    fleet = NodeFleet(settings, node_id, ECHO, revision)
    return ray.remote(CallPool).options(**options).remote(fleet, Rules.of(settings, SLOTS))


@asynccontextmanager
async def a_pool(settings: Settings, revision: str = "r1") -> AsyncIterator[Any]:
    pool = started(settings, revision)
    await pool.open.remote()
    yield pool
    await pool.close.remote()
    ray.kill(pool)


def process(actor: str) -> psutil.Process:
    """That of a call actor, by its Ray name."""
    handle: Any = ray.get_actor(actor, NAMESPACE)
    health: Health = ray.get(handle.health.remote())
    return psutil.Process(health.pid)


def call() -> Call:
    return a_call(new_id())


def kill_own_pool() -> None:
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it is ending by itself
            if "ray::CallPool" in " ".join(child.cmdline()):
                child.kill()


async def until(happened: Callable[[], bool], within_s: float = 60.0) -> float:
    """How long it took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < within_s
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def settled(pool: Any, idle: int) -> PoolStats:
    for _ in range(600):
        stats: PoolStats = await pool.stats.remote()
        if stats.idle == idle:
            return stats
        await asyncio.sleep(0.1)
    raise AssertionError(f"{stats}")


def is_gone(actor: str) -> bool:
    return actor not in names(NAMESPACE, actor)


async def test_calls_get_warm_actors_and_give_them_back(node: Settings, show: Callable[[str], None]) -> None:
    async with a_pool(node) as pool:
        handles = CallHandles(node)
        calls = [call() for _ in range(SLOTS)]
        reserved = await handles.reserve(calls[0].session_id, for_s=45.0)
        assert reserved == pool_name(ray.get_runtime_context().get_node_id())
        leases = [await handles.lease(each) for each in calls]
        assert len({lease.actor for lease in leases}) == SLOTS
        with pytest.raises(NoCapacity) as caught:
            await handles.lease(call())
        assert caught.value.reason == FULL
        for lease in leases:
            await handles.release(lease)
        await settled(pool, SLOTS)
        took = []
        for _ in range(100):
            began = time.monotonic()
            lease = await handles.lease(call())
            took.append(1000 * (time.monotonic() - began))
            await handles.release(lease)
            await asyncio.sleep(0.02)
        took.sort()
        show(f"lease, one at a time: p50 {took[50]:.1f} ms, p99 {took[98]:.1f} ms, most {took[-1]:.1f} ms")


async def test_an_actor_that_is_killed_is_replaced(node: Settings, show: Callable[[str], None]) -> None:
    async with a_pool(node) as pool:
        lease = await CallHandles(node).lease(call())
        process(lease.actor).kill()
        began = time.monotonic()
        for _ in range(500):
            if (await pool.stats.remote()).leased == 0:
                break
            await asyncio.sleep(0.02)
        found_s = time.monotonic() - began
        await settled(pool, SLOTS)
        show(f"SIGKILL: found after {found_s:.2f} s by looking, replaced after {time.monotonic() - began:.2f} s")


async def test_an_actor_that_freezes_is_killed_and_replaced(node: Settings, show: Callable[[str], None]) -> None:
    async with a_pool(node) as pool:
        lease = await CallHandles(node).lease(call())
        frozen = process(lease.actor)
        await asyncio.sleep(4.1)  # so that it was looked at, and its pid is known
        frozen.suspend()
        found_s = await until(lambda: not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE)
        await settled(pool, SLOTS)
        show(f"SIGSTOP: its process is gone after {found_s:.2f} s")
        assert is_gone(lease.actor)


async def test_what_the_edge_reports_lost_is_seen_to_at_once(node: Settings, show: Callable[[str], None]) -> None:
    async with a_pool(node) as pool:
        handles, one = CallHandles(node), call()
        for trouble in (signal.SIGKILL, signal.SIGSTOP):
            lease = await handles.lease(one)
            victim = process(lease.actor)
            os.kill(victim.pid, trouble)
            began = time.monotonic()
            await handles.lost(lease)
            again = await handles.lease(one)
            show(f"{trouble.name}, reported: another actor after {1000 * (time.monotonic() - began):.0f} ms")
            assert again.actor != lease.actor
            await until(lambda name=lease.actor: is_gone(name), 10.0)  # type: ignore[misc]
            await handles.release(again)
            await settled(pool, SLOTS)


async def test_calls_outlive_their_pool_which_lends_again(node: Settings, show: Callable[[str], None]) -> None:
    async with a_pool(node) as pool:
        handles = CallHandles(node)
        lease = await handles.lease(call())
        before = process(lease.actor)
        kill_own_pool()
        began = time.monotonic()
        second = await handles.lease(call())
        show(f"pool killed: lends again after {time.monotonic() - began:.2f} s")
        assert second.actor != lease.actor
        assert process(lease.actor).pid == before.pid
        stats = await settled(pool, SLOTS - 2)
        assert stats.leased == 2


async def test_a_newer_pool_lets_older_actors_finish_their_calls(node: Settings) -> None:
    pool = started(node, "r1")
    await pool.open.remote()
    handles, one = CallHandles(node), call()
    lease = await handles.lease(one)
    ray.kill(pool)
    async with a_pool(node, "r2") as newer:
        stats = await settled(newer, SLOTS - 1)
        assert stats.leased == 1
        assert not is_gone(lease.actor)
        assert ":r2:" in (await CallHandles(node).lease(call())).actor
        await CallHandles(node).release(lease)
        await until(lambda: is_gone(lease.actor))
        await settled(newer, SLOTS - 1)


async def test_a_drained_pool_is_empty_when_its_calls_are_over(node: Settings) -> None:
    async with a_pool(node) as pool:
        handles = CallHandles(node)
        lease = await handles.lease(call())
        await pool.drain.remote()
        with pytest.raises(NoCapacity):
            await handles.reserve(call().session_id, for_s=45.0)
        await handles.release(lease)
        stats: PoolStats = await pool.stats.remote()
        for _ in range(100):
            if stats.size == 0:
                break
            await asyncio.sleep(0.1)
            stats = await pool.stats.remote()
        assert (stats.size, stats.is_draining) == (0, True)
