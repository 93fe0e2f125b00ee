"""What was begun is finished, although whoever asked has hung up.

Serve cancels a handler as soon as its client is gone. Cut between two writes, an order would leave credit set aside for
a call that never was, and a carrier that is gone leaves a log that somebody has to close.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class Finishing:
    """Middleware: requests and connections run by themselves; only the waiting for them is cancelled."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one connection of a carrier."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        task = asyncio.ensure_future(self._app(scope, receive, send))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)
