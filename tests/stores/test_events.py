"""Events over Redis, and without it."""

import json
import logging
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from models.call import SessionId
from stores.events import Events, room

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


async def test_without_redis_calls_go_on_and_one_line_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    events = Events(f"unix://{tmp_path}/nobody.sock")
    began = time.monotonic()
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            await events.publish(SESSION, "call:started", {})
    assert time.monotonic() - began < 2
    assert [record.name for record in caplog.records] == ["stores.events"]
    await events.close()
