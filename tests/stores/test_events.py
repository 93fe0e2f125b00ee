"""Events over Redis, and without it."""

import asyncio
import json
import logging
import os
import signal
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from cli.background import background
from cli.embedded.redis import redis_child, redis_url as embedded_url
from models.call import SessionId
from stores.events import Events, interim_room, room

pytestmark = pytest.mark.integration

SESSION = SessionId("sess_abc")


async def test_an_event_reaches_the_calls_room(redis_url: str) -> None:
    events = Events(redis_url)
    async with Redis.from_url(redis_url) as redis, redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe("socketio")
        await events.publish(SESSION, "call:started", {"status": "initiated"})
        message = None
        while message is None:
            message = await pubsub.get_message(timeout=1)
    sent = json.loads(message["data"])
    assert (sent["room"], sent["event"], sent["data"]) == (room(SESSION), "call:started", [{"status": "initiated"}])
    await events.close()


async def test_what_is_not_final_reaches_another_room(redis_url: str) -> None:
    events = Events(redis_url)
    async with Redis.from_url(redis_url) as redis, redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe("socketio")
        await events.publish_interim(SESSION, "call:transcript", {"isFinal": False})
        message = None
        while message is None:
            message = await pubsub.get_message(timeout=1)
    sent = json.loads(message["data"])
    assert (sent["room"], sent["data"]) == (interim_room(SESSION), [{"isFinal": False}])
    assert interim_room(SESSION) != room(SESSION)
    await events.close()


async def test_without_redis_calls_go_on_and_one_line_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    events = Events(f"unix://{tmp_path}/nobody.sock")
    began = time.monotonic()
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            await events.publish(SESSION, "call:started", {})
    assert time.monotonic() - began < 2
    assert [record.name for record in caplog.records] == ["stores.events"]
    await events.close()


async def test_events_go_on_when_redis_is_back(tmp_path: Path) -> None:
    url = embedded_url(tmp_path)
    events = Events(url)
    with background(tmp_path / "logs") as running:
        running.start(redis_child(tmp_path))
        await events.publish(SESSION, "call:started", {})
        killed = running.pid("redis") or 0
        os.kill(killed, signal.SIGKILL)
        await events.publish(SESSION, "call:connected", {})
        async with asyncio.timeout(20):
            while running.pid("redis") in (None, killed) or not running.is_ready("redis"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        async with Redis.from_url(url) as redis, redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe("socketio")
            await events.publish(SESSION, "call:ended", {})
            message = None
            while message is None:
                message = await pubsub.get_message(timeout=1)
        assert json.loads(message["data"])["event"] == "call:ended"
        await events.close()
