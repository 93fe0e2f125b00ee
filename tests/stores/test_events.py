"""Events over Redis, and without it."""

import asyncio
import contextlib
import json
import logging
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cli.background import background
from cli.embedded.redis import redis_child, redis_url as embedded_url
from models.call import SessionId
from models.document import new_id
from stores.events import Events, campaign_room, interim_room, room

pytestmark = pytest.mark.integration

SESSION = SessionId("sess_abc")
CAMPAIGN = new_id()


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


async def test_a_campaigns_event_reaches_its_own_room(redis_url: str) -> None:
    events = Events(redis_url)
    async with Redis.from_url(redis_url) as redis, redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe("socketio")
        await events.publish_to_campaign(CAMPAIGN, "campaign:progress", {"status": "running"})
        message = None
        while message is None:
            message = await pubsub.get_message(timeout=1)
    sent = json.loads(message["data"])
    assert (sent["room"], sent["event"]) == (campaign_room(CAMPAIGN), "campaign:progress")
    assert sent["data"] == [{"status": "running"}]
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
    assert time.monotonic() - began < 4


async def test_the_oldest_events_are_lost_first_and_counted(tmp_path: Path) -> None:
    events = Events(f"unix://{tmp_path}/nobody.sock", kept=3)
    lost: list[int] = []
    events.on_dropped = lost.append
    for n in range(5):
        await events.publish(SESSION, "call:transcript", {"n": n})
    assert lost == [1, 1]
    await events.close()
    assert lost == [1, 1, 3]


async def test_of_a_campaigns_progress_during_an_outage_the_last_is_sent(tmp_path: Path) -> None:
    url, way = embedded_url(tmp_path), tmp_path / "way"
    events, other = Events(f"unix://{way}"), new_id()
    with background(tmp_path / "logs") as running:
        await events.publish(SESSION, "call:started", {})
        for n in range(3):
            for campaign in (CAMPAIGN, other):
                await events.publish_to_campaign(campaign, "campaign:progress", {"n": n})
        await asyncio.to_thread(running.start, redis_child(tmp_path))
        async with Redis.from_url(url) as redis, redis.pubsub() as pubsub:
            await pubsub.subscribe("socketio")
            assert await pubsub.get_message(timeout=10)
            way.symlink_to(url.removeprefix("unix://"))  # only now, so that nothing is sent before somebody listens
            await events.close()
            told: list[tuple[str, object]] = []
            while len(told) < 3:
                if message := await pubsub.get_message(timeout=1):
                    sent = json.loads(message["data"])
                    told.append((sent["room"], sent["data"][0].get("n")))
    assert told == [(room(SESSION), None), (campaign_room(CAMPAIGN), 2), (campaign_room(other), 2)]


async def test_events_of_an_outage_come_in_order_when_redis_is_back(tmp_path: Path) -> None:
    url = embedded_url(tmp_path)
    events = Events(url)
    with background(tmp_path / "logs") as running:
        running.start(redis_child(tmp_path))
        async with asyncio.TaskGroup() as group:
            heard: asyncio.Queue[str] = asyncio.Queue()
            listening = group.create_task(_listen(url, heard))
            await _is_heard(events, heard)
            for outage in range(2):
                await asyncio.to_thread(running.stop)
                for n in range(3):
                    await events.publish(SESSION, f"{outage}.{n}", {})
                    await events.publish_interim(SESSION, "call:transcript", {"isFinal": False})
                await asyncio.to_thread(running.start, redis_child(tmp_path))
                async with asyncio.timeout(10):
                    assert [await heard.get() for _ in range(3)] == [f"{outage}.{n}" for n in range(3)]
                await events.publish(SESSION, "call:ended", {})
                async with asyncio.timeout(10):
                    assert await heard.get() == "call:ended"
            assert heard.empty()
            listening.cancel()
        await events.close()


async def test_what_nobody_can_hear_yet_waits_for_those_who_come_back(tmp_path: Path) -> None:
    url = embedded_url(tmp_path)
    events = Events(url)
    with background(tmp_path / "logs") as running:
        running.start(redis_child(tmp_path))
        async with asyncio.TaskGroup() as group:
            heard: asyncio.Queue[str] = asyncio.Queue()
            first = group.create_task(_listen(url, heard))
            await _is_heard(events, heard)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await events.publish(SESSION, "call:ended", {})
            second = group.create_task(_listen(url, heard))
            async with asyncio.timeout(10):
                assert await heard.get() == "call:ended"
            second.cancel()
        await events.close()


async def test_what_is_left_at_the_end_is_sent(tmp_path: Path) -> None:
    url, way = embedded_url(tmp_path), tmp_path / "way"
    events = Events(f"unix://{way}")
    with background(tmp_path / "logs") as running:
        for n in range(3):
            await events.publish(SESSION, str(n), {})
        await asyncio.to_thread(running.start, redis_child(tmp_path))
        async with Redis.from_url(url) as redis, redis.pubsub() as pubsub:
            await pubsub.subscribe("socketio")
            assert await pubsub.get_message(timeout=10)
            way.symlink_to(url.removeprefix("unix://"))  # only now, so that nothing is sent before somebody listens
            await events.close()
            told: list[str] = []
            while len(told) < 3:
                if message := await pubsub.get_message(timeout=1):
                    told.append(json.loads(message["data"])["event"])
    assert told == ["0", "1", "2"]


async def _listen(url: str, heard: asyncio.Queue[str]) -> None:
    """What a replica would deliver; it subscribes again whenever Redis was away."""
    while True:
        with contextlib.suppress(RedisError, OSError):
            async with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as redis, redis.pubsub() as pubsub:
                await pubsub.subscribe("socketio")
                async for message in pubsub.listen():
                    if message["type"] == "message":
                        heard.put_nowait(json.loads(message["data"])["event"])
        await asyncio.sleep(0.2)


async def _is_heard(events: Events, heard: asyncio.Queue[str]) -> None:
    """Returns once somebody listens."""
    async with asyncio.timeout(10):
        while heard.empty():
            await events.publish(SESSION, "call:started", {})
            await asyncio.sleep(0.05)
    while not heard.empty():
        heard.get_nowait()
