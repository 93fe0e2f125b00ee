"""An edge in this process for tests of sockets: real store, real Redis, real TCP, but neither Ray nor Serve."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from actors.call_session.door import Attachment, Door, Endpoint
from actors.call_session.pool import Lease
from models.errors import NoCapacity
from models.settings import Settings
from serve_app.app import build_site
from serve_app.media import Media
from serve_app.realtime import Realtime
from serve_app.wiring import Edge, utc_now
from services.call_log import CallLog
from services.container import build_services
from stores.events import Events
from stores.limits import Limits
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.money import a_writer
from tests.switchboard import Actors, Carrier


@dataclass
class Doors:
    """Call actors without their processes: doors, each with an echo behind it. Satisfies `media.CallActors`."""

    free: int = 4
    heard: dict[str, list[str | bytes]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    open: dict[str, Door] = field(default_factory=dict)
    endpoints: list[Endpoint] = field(default_factory=list)
    dying: bool = False
    """The actors die as soon as they are spoken to."""

    async def lease(self, session_id: str) -> Lease:
        """A door of its own for every call."""
        if self.free == 0:
            raise NoCapacity("every call actor is busy")
        self.free -= 1
        door = Door(self._echo)
        await door.open("127.0.0.1")
        actor = f"door-{len(self.open)}"
        self.open[actor] = door
        endpoint = await _dying_endpoint() if self.dying else door.arm(session_id)
        self.endpoints.append(endpoint)
        return Lease(actor, session_id, endpoint)

    async def release(self, lease: Lease) -> None:
        """Closed for good."""
        self.free += 1
        door = self.open.pop(lease.actor)
        await door.settle(lease.session_id, 5.0)
        await door.close()

    async def _echo(self, attachment: Attachment) -> None:
        heard = self.heard.setdefault(attachment.session_id, [])
        async for message in attachment.inbound:
            heard.append(message)
            if message == "hang up":
                break
            if message == "break":
                raise RuntimeError("as a call with a bug would")
            if isinstance(message, str):
                await attachment.send(message)
        self.over.add(attachment.session_id)


async def _dying_endpoint() -> Endpoint:
    """Where a connection is taken and dropped without a word, as by a process that is killed."""

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.transport.abort()
        server.close()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    return Endpoint("127.0.0.1", server.sockets[0].getsockname()[1], "token")


@dataclass(frozen=True)
class Replica:
    """One running edge."""

    port: int
    repositories: Repositories
    log: CallLog
    edge: Edge
    actors: Actors

    def url(self, scheme: str = "http") -> str:
        """Where it is reached."""
        return f"{scheme}://127.0.0.1:{self.port}"


@asynccontextmanager
async def a_replica(settings: Settings, doors: Doors | None = None) -> AsyncIterator[Replica]:
    """An edge on a port of its own until the context is left."""
    events, limits, actors = Events(settings.redis_url or ""), Limits(settings.redis_url or ""), Actors()
    async with connect(settings) as client:
        data = database(client, settings)
        repositories = Repositories.over(data)
        credit = a_writer(repositories)
        services = build_services(
            settings, data, control=actors, credit=credit, telephony=Carrier(), events=events, limits=limits
        )
        log = CallLog(repositories.calls, credit, events)
        edge = Edge(
            services=services,
            media=Media(services.carriage, log, doors or Doors(), utc_now),
            realtime=Realtime(settings.redis_url or "", services.auth, services.calls, utc_now),
        )
        async with edge.realtime.running(), _served(build_site(edge)) as port:
            yield Replica(port, repositories, log, edge, actors)
        await limits.close()
        await events.close()


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[int]:
    """The application on uvicorn, as Serve runs it."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving
