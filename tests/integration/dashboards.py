"""Dashboards for tests of Socket.IO: clients that note what they are told, on replicas in this process."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio

from models.call import Call, CostBreakdown, Usage
from models.settings import Settings
from serve_app.wiring import utc_now
from tests.documents import a_call, a_turn
from tests.integration.edge import Replica, a_replica

Told = list[tuple[str, dict[str, Any]]]
EVENTS = ("started", "connected", "transcript", "metrics", "ended", "error")


async def two_replicas(settings: Settings) -> AsyncIterator[tuple[Replica, Replica]]:
    """A fixture: they share Redis and the store."""
    async with a_replica(settings) as one, a_replica(settings) as other:
        yield one, other


async def somebodys_token(replicas: tuple[Replica, Replica]) -> str:
    """A fixture: the access token of a fresh user."""
    return (await somebody(replicas[0]))[0]


async def somebody(replica: Replica) -> tuple[str, Any]:
    """A fresh user: access token and account."""
    account, tokens = await replica.edge.services.auth.signup(
        email=f"{uuid.uuid4().hex}@example.com", password="correct horse", name="", now=utc_now()
    )
    return tokens.access, account


async def a_call_of(replica: Replica, token: str, **fields: Any) -> Call:
    """A call of the token's organization that has just been made."""
    principal = await replica.edge.services.auth.authenticate(token, utc_now())
    call = a_call(principal.organization_id, created_at=utc_now(), **fields)
    await replica.repositories.calls.insert(call)
    return call


@asynccontextmanager
async def a_dashboard(
    replica: Replica, auth: Any = None, transports: list[str] | None = None
) -> AsyncIterator[tuple[socketio.AsyncClient, Told]]:
    """A connected client and what it has been told so far."""
    told: Told = []
    client = socketio.AsyncClient(reconnection=False)

    def listen(name: str) -> None:
        client.on(f"call:{name}", lambda payload: told.append((name, payload)))

    for name in EVENTS:
        listen(name)
    await client.connect(replica.url(), auth=auth, transports=transports or ["websocket"])
    try:
        yield client, told
    finally:
        await client.disconnect()


async def until(happened: Callable[[], bool]) -> None:
    """Waits for it, up to ten seconds."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 - what it waits for is on the other side of a socket
            await asyncio.sleep(0.01)


async def handled(client: socketio.AsyncClient) -> None:
    """Everything the client has sent was handled: its events are handled in order, and this one is answered."""
    await client.call("call:leave", {"sessionId": "sess_none"})


def names(told: Told) -> list[str]:
    """Which events, in order."""
    return [name for name, _ in told]


async def say(replica: Replica, call: Call, index: int, text: str) -> None:
    """The caller's next turn."""
    turn = a_turn(index, text).model_copy(update={"timestamp": utc_now()})
    await replica.log.record_turn(call, turn, Usage(), CostBreakdown(), utc_now())
