"""An edge in this process for tests of sockets: real store, real Redis, real TCP, but neither Ray nor Serve."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from actors.call_session.door import Attachment, Door, Endpoint
from actors.call_session.pool import Lease
from cli.embedded.ports import free_port
from models.call import Call
from models.errors import NoCapacity
from models.settings import Settings
from serve_app.app import build_site
from serve_app.media import CallActors, Media
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
    """Call actors without their processes: doors, each with an echo behind it. Satisfies `media.CallActors`.

    An echo keeps what begins with "open", settles all it has heard at "settle", ends the call at "hang up" and breaks
    at "break".
    """

    free: int = 4
    dying: int = 0
    """So many of the next actors die as soon as they are spoken to."""
    unreachable: int = 0
    """So many of the next actors are dead before they are spoken to."""
    replaces: bool = True
    """Another actor is started for each that is lost."""
    heard: dict[str, list[str | bytes]] = field(default_factory=dict)
    attachments: list[tuple[int, list[str | bytes]]] = field(default_factory=list)
    """Of each connection: how many messages were said to be repeated, and what came on it."""
    over: set[str] = field(default_factory=set)
    open: dict[str, Door] = field(default_factory=dict)
    endpoints: list[Endpoint] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    made: int = 0
    alive: set[asyncio.Task[Any]] = field(default_factory=set)
    lingers_s: float = 0.0
    """How long an echo takes over its last words when the carrier has gone."""

    async def lease(self, call: Call, by: str) -> Lease:
        """A door of its own for every call."""
        if self.free == 0:
            raise NoCapacity("every call actor is busy")
        self.free -= 1
        actor, self.made = f"door-{self.made}", self.made + 1
        endpoint = await self._endpoint(actor, call.session_id)
        self.endpoints.append(endpoint)
        return Lease(actor, call.session_id, endpoint)

    async def release(self, lease: Lease) -> None:
        """Closed for good."""
        self.free += 1
        await self._close(lease)

    async def lost(self, lease: Lease) -> None:
        """The same, and noted."""
        self.losses.append(lease.actor)
        self.free += self.replaces
        await self._close(lease)

    def kill(self) -> None:
        """Every actor that has a call dies, as by SIGKILL: its connection breaks and it has said nothing."""
        for task in self.alive:
            task.cancel()

    async def _close(self, lease: Lease) -> None:
        door = self.open.pop(lease.actor, None)
        if door is not None:
            await door.settle(lease.session_id, 5.0)
            await door.close()

    async def _endpoint(self, actor: str, session_id: str) -> Endpoint:
        if self.unreachable:
            self.unreachable -= 1
            return Endpoint("127.0.0.1", free_port(), "token")
        if self.dying:
            self.dying -= 1
            return await _dying_endpoint()
        door = self.open[actor] = Door(self._echo)
        await door.open("127.0.0.1")
        return door.arm(session_id)

    async def _echo(self, attachment: Attachment) -> None:
        task = asyncio.create_task(self._answer_all(attachment))
        self.alive.add(task)
        await asyncio.wait({task})
        self.alive.discard(task)
        if task.cancelled():
            raise RuntimeError("killed")
        task.result()
        self.over.add(attachment.session_id)

    async def _answer_all(self, attachment: Attachment) -> None:
        came: list[str | bytes] = []
        self.attachments.append((attachment.repeats, came))
        async for message in attachment.inbound:
            came.append(message)
            self.heard.setdefault(attachment.session_id, []).append(message)
            if message == "hang up":
                return
            if message == "break":
                raise RuntimeError("as a call with a bug would")
            if message == "settle":
                attachment.settled(len(came))
            if isinstance(message, str):
                if message.startswith("open"):
                    attachment.keep(message)
                await attachment.send(message)
        await asyncio.sleep(self.lingers_s)
        if not attachment.is_closed():
            raise RuntimeError("the edge was lost")


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
async def a_replica(settings: Settings, doors: CallActors | None = None) -> AsyncIterator[Replica]:
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
            realtime=Realtime(settings.redis_url or "", services.auth, services.calls, services.campaigns, utc_now),
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
