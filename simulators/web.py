"""A web server on loopback inside the caller's event loop, and a response that can be paced, stalled and cut."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Mapping
from typing import Self

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.behaviour import Behaviour, Fault

HOST = "127.0.0.1"
_START_TIMEOUT_S = 10.0


class BadBody(Exception):
    """A request's body is not a JSON object."""


class Cut(Exception):
    """Raised by a body: drop the connection here, without ending the response."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the process's signal handlers alone: they belong to whoever runs the event loop."""
        yield


class LocalServer:
    """An ASGI application served while the `async with` lasts; port 0 picks a free one."""

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        self._app = app
        self._wanted_port = port
        self._running = contextlib.AsyncExitStack()
        self.port = port

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        listener = socket.create_server((HOST, self._wanted_port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app, log_config=None, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        self._running.push_async_callback(_stop, server, task, listener)
        async with asyncio.timeout(_START_TIMEOUT_S):
            await server.is_up.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()


async def _stop(server: _Server, task: asyncio.Task[None], listener: socket.socket) -> None:
    server.should_exit = True
    try:
        await task
        await _abort_late(server)
    finally:
        listener.close()


async def _abort_late(server: _Server) -> None:
    """End connections that were accepted in the moment of closing: uvicorn did not know of them yet."""
    for _ in range(3):  # accepting takes the event loop two rounds
        await asyncio.sleep(0)
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()
    await asyncio.sleep(0)


class Paced(Response):
    """A chunked response whose body decides when its pieces come; it ends early when the client leaves."""

    def __init__(self, body: AsyncIterator[bytes], *, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the body ends, is cut, or the client has gone."""
        tasks = {asyncio.create_task(self._send_all(send)), asyncio.create_task(_disconnect(receive))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self._body:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Cut:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Pace:
    """The clock of one answer: waits until a piece is due, or fails it as its behaviour says."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._started = asyncio.get_running_loop().time()

    async def wait(self, amount: float) -> None:
        """Return when the piece that follows `amount` is due; never, when it stalls; raises Cut."""
        if self._behaviour.fails_at(amount):
            if self._behaviour.fault is Fault.CUT:
                # A moment for what was sent to leave, or the reset would overtake it.
                await asyncio.sleep(0.02)
                raise Cut
            await asyncio.Event().wait()
        delay = self._started + self._behaviour.due_s(amount) - asyncio.get_running_loop().time()
        if delay > 0:
            await asyncio.sleep(delay)


async def json_object(request: Request) -> dict[str, object]:
    """The request's body; raises BadBody when it is not a JSON object."""
    try:
        body = await request.json()
    except ValueError as error:
        raise BadBody("not JSON") from error
    if not isinstance(body, dict):
        raise BadBody("not an object")
    return body


def refusal(status: int, body: object, behaviour: Behaviour | None = None) -> JSONResponse:
    """An error response; with Retry-After where the behaviour asks for patience."""
    limited = behaviour is not None and behaviour.fault is Fault.RATE_LIMITED
    headers = {"Retry-After": str(behaviour.retry_after_s)} if behaviour is not None and limited else {}
    return JSONResponse(body, status_code=status, headers=headers)
