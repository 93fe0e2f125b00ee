"""Counting in Redis, and without it."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from cli.background import background
from cli.embedded.redis import redis_child, redis_url as embedded_url
from models.errors import Unavailable
from stores.limits import DOWN_S, Limits, Window

pytestmark = pytest.mark.integration


@pytest.fixture
async def limits(redis_url: str) -> AsyncIterator[Limits]:
    limits = Limits(redis_url)
    yield limits
    await limits.close()


def window(limit: int = 10, window_s: int = 60) -> Window:
    return Window(f"limit:test:{{{uuid4().hex}}}", limit, window_s)


async def test_of_a_hundred_at_once_exactly_the_limit_pass(redis_url: str) -> None:
    replicas, shared = [Limits(redis_url), Limits(redis_url)], window(limit=10)
    counted = await asyncio.gather(*(replicas[n % 2].hit([shared]) for n in range(100)))
    assert sum(not count.is_over for [count] in counted) == 10
    assert sorted(count.hits for [count] in counted) == list(range(1, 101))
    for replica in replicas:
        await replica.close()


async def test_a_hit_learns_what_is_left(limits: Limits) -> None:
    shared = window(limit=2, window_s=60)
    seen = [(await limits.hit([shared]))[0] for _ in range(3)]
    assert [(count.hits, count.remaining, count.is_over) for count in seen] == [
        (1, 1, False),
        (2, 0, False),
        (3, 0, True),
    ]
    assert all(59_000 < count.left_ms <= 60_000 for count in seen)


async def test_windows_are_counted_together_each_by_itself(limits: Limits) -> None:
    user = window().key
    both = [Window(f"a:{user}", 5, 60), Window(f"b:{user}", 1, 30)]
    await limits.hit(both[:1])
    first, second = await limits.hit(both)
    assert (first.hits, second.hits) == (2, 1)
    assert second.left_ms <= 30_000 < first.left_ms


async def test_a_window_that_ended_begins_anew_and_refused_hits_do_not_prolong_it(
    limits: Limits, redis_url: str
) -> None:
    short = window(limit=1, window_s=1)
    first, second = [(await limits.hit([short]))[0] for _ in range(2)]
    assert (first.is_over, second.is_over) == (False, True)
    assert second.left_ms <= first.left_ms <= 1000
    async with Redis.from_url(redis_url) as redis, asyncio.timeout(2):
        while await redis.exists(short.key):  # noqa: ASYNC110 - it ends in another process
            await asyncio.sleep(0.02)
    assert (await limits.hit([short]))[0].hits == 1


async def test_without_redis_nobody_waits_twice_and_one_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(f"unix://{tmp_path}/nobody.sock")
    began = time.monotonic()
    with caplog.at_level(logging.ERROR):
        for _ in range(100):
            with pytest.raises(Unavailable):
                await limits.hit([window()])
    assert time.monotonic() - began < DOWN_S
    assert [record.name for record in caplog.records] == ["stores.limits"]
    await limits.close()


async def test_a_redis_that_stalls_costs_half_a_second_once(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(silent, tmp_path / "silent.sock"):
        limits = Limits(f"unix://{tmp_path}/silent.sock")
        waits = []
        for _ in range(5):
            began = time.monotonic()
            with pytest.raises(Unavailable):
                await limits.hit([window()])
            waits.append(time.monotonic() - began)
        await limits.close()
    assert 0.4 < waits[0] < 0.9
    assert max(waits[1:]) < 0.3


async def test_counting_goes_on_when_redis_is_back(tmp_path: Path) -> None:
    limits, kept = Limits(embedded_url(tmp_path)), window()
    with background(tmp_path / "logs") as running:
        running.start(redis_child(tmp_path))
        assert (await limits.hit([kept]))[0].hits == 1
        killed = running.pid("redis") or 0
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(Unavailable):
            await limits.hit([kept])
        async with asyncio.timeout(20):
            while not await _counts(limits, kept):  # noqa: ASYNC110 - it starts in another process
                await asyncio.sleep(0.05)
    await limits.close()


async def _counts(limits: Limits, window: Window) -> bool:
    try:
        await limits.hit([window])
    except Unavailable:
        return False
    return True
