"""Bodies that are too large: refused while they are read, in the documented envelope like everything else."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Middleware: reading more than `limit_bytes`, or a body that announces more, raises HTTPException (413).

    `exceptions` are limits of their own for paths that end as one of the patterns does.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, exceptions: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit_bytes
        self._exceptions = {re.compile(rf"{pattern}\Z"): limit for pattern, limit in (exceptions or {}).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        announced = Headers(scope=scope).get("content-length", "")
        size = int(announced) if announced.isdecimal() else 0
        limit, read = self._limit_of(scope["path"]), 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if max(read, size) > limit:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self._app(scope, limited, send)

    def _limit_of(self, path: str) -> int:
        return next((limit for pattern, limit in self._exceptions.items() if pattern.search(path)), self._limit)
