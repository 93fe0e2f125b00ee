"""A platform in miniature for the carrier to call: a media socket, a status endpoint, an incoming webhook."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, serve

from simulators.web import LocalServer

BUSY = '<Response><Reject reason="busy"/></Response>'
Conversation = Callable[["Peer", ServerConnection], Awaitable[None]]


class Peer:
    """Serves both sides; keeps every frame and callback it got."""

    def __init__(self, conversation: Conversation) -> None:
        self.frames: list[dict[str, Any]] = []
        self.callbacks: list[dict[str, str]] = []
        self.content_types: list[str] = []
        self.media_url = ""
        self._conversation = conversation
        self._running = AsyncExitStack()
        routes = [
            Route("/status", self._status, methods=["POST"]),
            Route("/incoming", self._incoming, methods=["POST"]),
            Route("/deaf", lambda _: PlainTextResponse("<Response><Hangup/></Response>"), methods=["POST"]),
            Route("/full", lambda _: PlainTextResponse(BUSY), methods=["POST"]),
        ]
        self._http = LocalServer(Starlette(routes=routes))

    @property
    def url(self) -> str:
        """Base of the webhook addresses."""
        return self._http.url

    async def __aenter__(self) -> Self:
        await self._running.enter_async_context(self._http)
        media = await self._running.enter_async_context(serve(self._take, "127.0.0.1", 0))
        self.media_url = f"ws://127.0.0.1:{media.sockets[0].getsockname()[1]}/audio/call"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def next_frame(self, socket: ServerConnection, event: str) -> dict[str, Any]:
        """The next frame of a kind; the others are kept on the way."""
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 5))
            self.frames.append(frame)
            if frame["event"] == event:
                return dict(frame)

    async def _take(self, socket: ServerConnection) -> None:
        await self._conversation(self, socket)

    async def _status(self, request: Request) -> Response:
        self.content_types.append(request.headers["content-type"].split(";")[0])
        if self.content_types[-1] == "application/json":
            self.callbacks.append({key: str(value) for key, value in (await request.json()).items()})
        else:
            async with request.form() as form:
                self.callbacks.append({key: str(value) for key, value in form.items()})
        return PlainTextResponse("ok")

    async def _incoming(self, request: Request) -> Response:
        async with request.form() as form:
            self.callbacks.append({key: str(value) for key, value in form.items()})
        xml = f'<Response><Connect><Stream url="{self.media_url}?sample-rate=16000"/></Connect></Response>'
        return PlainTextResponse(xml, media_type="application/xml")
