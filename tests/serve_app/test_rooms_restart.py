"""A replica hears what is published through a restart of Redis."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import socketio

from cli.background import background
from cli.embedded.redis import redis_child, redis_url as embedded_url
from models.call import SessionId
from serve_app.rooms import Rooms
from stores.events import Events

pytestmark = pytest.mark.integration

SESSION = SessionId("sess_abc")


class Replica(Rooms):
    """Notes what it would deliver to its clients."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def _handle_emit(self, message: dict[str, Any]) -> None:
        self.heard.put_nowait(message["event"])


async def test_both_replicas_hear_all_of_it_in_order(tmp_path: Path) -> None:
    url = embedded_url(tmp_path)
    events = Events(url)
    with background(tmp_path / "logs") as running:
        running.start(redis_child(tmp_path))
        replicas = [Replica(url), Replica(url)]
        for replica in replicas:
            await replica.listen(socketio.AsyncServer(client_manager=replica, async_mode="asgi"))
        await events.publish(SESSION, "call:started", {})
        await asyncio.to_thread(running.stop)
        for n in range(3):
            await events.publish(SESSION, str(n), {})
        await asyncio.to_thread(running.start, redis_child(tmp_path))
        async with asyncio.timeout(10):
            told = [[await replica.heard.get() for _ in range(4)] for replica in replicas]
        await events.publish(SESSION, "call:ended", {})
        async with asyncio.timeout(10):
            last = [await replica.heard.get() for replica in replicas]
        for replica in replicas:
            await replica.close()
            await asyncio.gather(replica.thread, return_exceptions=True)
        await events.close()
    assert told == [["call:started", "0", "1", "2"]] * 2
    assert last == ["call:ended"] * 2
