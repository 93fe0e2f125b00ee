"""How much of a body is read, by address."""

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from serve_app.body_limit import BodyLimit

PIECE = 100


async def read(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads everything."""
    while (await receive()).get("more_body"):
        pass


async def refused(path: str, pieces: int, announced: int | None = None) -> int | None:
    """The status that refuses a body of so many pieces there; None: it is read."""
    left = [PIECE] * pieces

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * left.pop(), "more_body": bool(left)}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    limited = BodyLimit(read, 250, {r"/uploads/[^/]+": 450})
    try:
        await limited({"type": "http", "path": path, "headers": headers}, receive, send)
    except HTTPException as error:
        return error.status_code
    return None


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/v1/agents", 2),
        ("/api/v1/uploads/a", 4),
        ("/uploads/a", 4),
        ("/api/v1/uploads/a/b", 2),
        ("/api/v1/uploads/", 2),
    ],
)
async def test_each_address_has_its_limit(path: str, most: int) -> None:
    assert [await refused(path, pieces) for pieces in (most, most + 1)] == [None, 413]


async def test_what_announces_too_much_is_not_read() -> None:
    assert await refused("/api/v1/uploads/a", 1, announced=451) == 413
    assert await refused("/api/v1/uploads/a", 1, announced=450) is None
