"""The embedded MongoDB and Redis as stores need them: what was acknowledged is kept, addresses stay."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio
from pymongo import AsyncMongoClient, ReturnDocument, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, PyMongoError
from redis.asyncio import Redis

from cli.background import Background, background
from cli.embedded.mongodb import mongodb_answers, mongodb_child, mongodb_url
from cli.embedded.places import runtime_path
from cli.embedded.redis import redis_answers, redis_child, redis_url
from models.settings import Settings

pytestmark = pytest.mark.integration

WRITERS = 4
WRITES_BEFORE_KILL = 150
BACK_S = 20.0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Background]:
    """Children of one test, in case it kills them."""
    with background(tmp_path / "logs") as children:
        yield children
    shutil.rmtree(runtime_path(tmp_path))


async def test_a_killed_engine_keeps_every_acknowledged_journaled_write(running: Background, tmp_path: Path) -> None:
    running.start(mongodb_child(tmp_path))
    async with AsyncMongoClient[dict[str, int]](mongodb_url(tmp_path), serverSelectionTimeoutMS=10_000) as client:
        collection = client["kept"].get_collection("writes", write_concern=WriteConcern(w=1, j=True))
        acknowledged: set[int] = set()
        enough, killed = asyncio.Event(), asyncio.Event()
        writers = [_write(collection, number, acknowledged, enough, killed) for number in range(WRITERS)]
        writing = asyncio.gather(*writers)
        await enough.wait()
        _kill(running, "mongodb")
        killed.set()
        await writing
        found = {document["_id"] async for document in collection.find()}
    assert acknowledged <= found
    assert len(found) <= len(acknowledged) + WRITERS  # one write of each writer may have got in unacknowledged


def test_a_killed_engine_comes_back_at_the_same_address(running: Background, tmp_path: Path) -> None:
    running.start(mongodb_child(tmp_path))
    killed = _kill(running, "mongodb")
    _wait_until_back(running, "mongodb", killed)
    assert asyncio.run(mongodb_answers(mongodb_url(tmp_path)))


def test_a_killed_redis_comes_back_at_the_same_address(running: Background, tmp_path: Path) -> None:
    running.start(redis_child(tmp_path))
    killed = _kill(running, "redis")
    _wait_until_back(running, "redis", killed)
    assert asyncio.run(redis_answers(redis_url(tmp_path)))


async def test_data_survives_an_orderly_restart(running: Background, tmp_path: Path) -> None:
    for expected in (1, 2):
        running.start(mongodb_child(tmp_path))
        async with AsyncMongoClient[dict[str, int]](mongodb_url(tmp_path)) as client:
            await client["kept"]["runs"].insert_one({"run": expected})
            assert await client["kept"]["runs"].count_documents({}) == expected
        running.stop()


async def test_the_database_enforces_unique_indexes(settings: Settings) -> None:
    async with AsyncMongoClient[dict[str, str]](settings.mongodb_url) as client:
        users = client[settings.mongodb_database]["unique_probe"]
        await users.create_index("email", unique=True)
        await users.insert_one({"email": "ada@example.com"})
        with pytest.raises(DuplicateKeyError):
            await users.insert_one({"email": "ada@example.com"})


async def test_one_document_changes_by_expressions_of_itself(settings: Settings) -> None:
    async with AsyncMongoClient[dict[str, int]](settings.mongodb_url) as client:
        accounts = client[settings.mongodb_database]["pipeline_probe"]
        await accounts.insert_one({"_id": 1, "balance": 70, "held": 20})
        after = await accounts.find_one_and_update(
            {"_id": 1, "$expr": {"$gte": [{"$subtract": ["$balance", "$held"]}, 50]}},
            [{"$set": {"held": {"$add": ["$held", 50]}}}, {"$set": {"free": {"$subtract": ["$balance", "$held"]}}}],
            return_document=ReturnDocument.AFTER,
        )
    assert after == {"_id": 1, "balance": 70, "held": 70, "free": 0}


async def test_socketio_replicas_talk_through_the_redis_address(settings: Settings) -> None:
    manager = socketio.AsyncRedisManager(settings.redis_url, write_only=True, channel="probe")
    async with Redis.from_url(settings.redis_url or "") as client, client.pubsub() as listener:
        await listener.subscribe("probe")
        await listener.get_message(timeout=5)
        await manager.emit("call:started", {"callId": "call_1"}, room="call_1")
        heard = await listener.get_message(timeout=5)
        await manager.redis.aclose()
    assert b"call:started" in heard["data"]


async def _write(
    collection: AsyncCollection[dict[str, int]],
    writer: int,
    acknowledged: set[int],
    enough: asyncio.Event,
    killed: asyncio.Event,
) -> None:
    """Write until the engine goes away; one that was between two writes then finds it back, and sees no error."""
    number = writer
    while not killed.is_set():
        try:
            await collection.insert_one({"_id": number})
        except PyMongoError:
            return
        acknowledged.add(number)
        if len(acknowledged) >= WRITES_BEFORE_KILL:
            enough.set()
        number += WRITERS


def _kill(running: Background, name: str) -> int:
    pid = running.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def _wait_until_back(running: Background, name: str, killed: int) -> None:
    deadline = time.monotonic() + BACK_S
    while running.pid(name) in (None, killed) or not running.is_ready(name):
        assert time.monotonic() < deadline, f"{name} did not come back"
        time.sleep(0.05)
