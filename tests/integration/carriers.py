"""What tests of the media socket do as a carrier, and the edge and call they do it with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from models.call import Call
from models.organization import Organization
from models.settings import Settings
from serve_app.wiring import utc_now
from services.call_addresses import CallAddresses
from tests.documents import a_call
from tests.integration.edge import Doors, Replica, a_replica

MEDIA = '{"event":"media","stream_sid":"s","media":{"payload":"AAAA"}}'


def some_doors() -> Doors:
    """Four call actors; a fixture."""
    return Doors()


async def a_running_replica(settings: Settings, doors: Doors) -> AsyncIterator[Replica]:
    """An edge in front of the doors; a fixture."""
    async with a_replica(settings, doors) as running:
        yield running


async def a_stored_call(replica: Replica) -> Call:
    """A call that waits for its media; a fixture."""
    return await stored(replica)


async def stored(replica: Replica, **fields: object) -> Call:
    """A call of an organization of its own."""
    owner = Organization(created_at=utc_now(), updated_at=utc_now())
    await replica.repositories.organizations.insert(owner)
    made = a_call(owner.id, created_at=utc_now(), **fields)
    await replica.repositories.calls.insert(made)
    return made


def address(replica: Replica, settings: Settings, call: Call) -> str:
    """Of the call's media socket on this edge."""
    public = CallAddresses(settings).media(call.session_id)
    return replica.url("ws") + public.removeprefix(settings.media_base_url)


async def close_code(socket: ClientConnection) -> int | None:
    """What the edge closes the socket with; everything before is read and forgotten."""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionClosed):
            async for _ in socket:
                continue
        await socket.wait_closed()
    return socket.close_code


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the product itself had to say, from warnings on."""
    ours = ("serve_app", "actors", "services", "stores")
    return [record.getMessage() for record in caplog.records if record.name.startswith(ours) and record.levelno >= 30]


async def echoes(socket: ClientConnection) -> bool:
    """Whether somebody is there."""
    await socket.send(MEDIA)
    async with asyncio.timeout(5):
        return await socket.recv() == MEDIA


async def until(happened: Callable[[], bool]) -> None:
    """Wait for it, at most five seconds."""
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110 - what it waits for is on the other side of a socket
            await asyncio.sleep(0.01)
