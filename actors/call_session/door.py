"""The call actor's TCP door: armed for one attachment at a time, it turns that connection into the call's media.

It knows sockets and tokens, nothing of calls or Ray; `actor.py` says what to do with an attachment.
"""

import asyncio
import contextlib
import hmac
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from actors.call_session.wire import BrokenFrame, Channel, Frame, Hello, Kind, read
from models.errors import Conflict

logger = logging.getLogger(__name__)

CONNECT_S = 10.0
"""How long an armed attachment waits for its connection."""
HELLO_S = 2.0
HELLO_BYTES = 4096

Send = Callable[[str], Awaitable[None]]
"""Sends one message to the carrier; raises ConnectionError once that side is gone or does not read."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the edge attaches to the actor; the token is good for one connection."""

    host: str
    port: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A call's media: `inbound` has the carrier's messages until it is gone, `query` is that of its socket's URL."""

    session_id: str
    query: Mapping[str, str]
    inbound: AsyncIterator[str | bytes]
    send: Send


Attend = Callable[[Attachment], Awaitable[None]]
"""Carries a call on an attachment; its return ends the attachment."""


@dataclass(frozen=True, slots=True)
class _Armed:
    session_id: str
    token: str
    until: float


class Door:
    """A TCP listener on a port of its own."""

    def __init__(self, attend: Attend) -> None:
        self._attend = attend
        self._armed: _Armed | None = None
        self._attached: str | None = None
        self._settled = asyncio.Event()
        self._settled.set()
        self._server: asyncio.Server | None = None
        self._host = ""

    async def open(self, host: str) -> None:
        """Listen on `host`, on a port the system picks."""
        self._host = host
        self._server = await asyncio.start_server(self._accept, host, 0)

    async def close(self) -> None:
        """Stop listening; an attachment under way is not touched."""
        if self._server is not None:
            self._server.close()

    def arm(self, session_id: str) -> Endpoint:
        """Let exactly one connection in, within CONNECT_S; raises Conflict while another call is here."""
        if self.session_id not in (None, session_id) or self._attached is not None or self._server is None:
            raise Conflict("the call actor is busy")
        token = secrets.token_urlsafe(32)
        self._armed = _Armed(session_id, token, time.monotonic() + CONNECT_S)
        return Endpoint(self._host, self._server.sockets[0].getsockname()[1], token)

    @property
    def session_id(self) -> str | None:
        """Whose call is attached or may still attach; None: free."""
        if self._attached is not None:
            return self._attached
        if self._armed is not None and time.monotonic() < self._armed.until:
            return self._armed.session_id
        return None

    async def settle(self, session_id: str, within_s: float) -> bool:
        """Withdraw what was armed for the session, or wait until its attachment is over; whether it is gone."""
        if self._armed is not None and self._armed.session_id == session_id:
            self._armed = None
        if self._attached == session_id:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._settled.wait()
        return self.session_id != session_id

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await _hello(reader)
        armed = self._armed
        if hello is None or armed is None or not self._is_welcome(hello, armed):
            logger.warning("attachment refused: no valid token came with it")
            writer.transport.abort()
            return
        self._armed, self._attached = None, armed.session_id
        self._settled.clear()
        channel = Channel(reader, writer)
        query = dict(parse_qsl(hello.query))
        try:
            await self._attend(Attachment(armed.session_id, query, _messages(channel), _sender(channel)))
            await channel.close("over")
        except Exception:
            logger.exception("an attachment broke")
        finally:
            # After a failure nothing was said: to the edge the actor is lost, and it finishes the call's log.
            writer.transport.abort()
            self._attached = None
            self._settled.set()

    def _is_welcome(self, hello: Hello, armed: _Armed) -> bool:
        right = hmac.compare_digest(hello.token.encode(), armed.token.encode())
        return right and self._attached is None and time.monotonic() < armed.until


async def _hello(reader: asyncio.StreamReader) -> Hello | None:
    """The first frame in time; None: anything else."""
    try:
        async with asyncio.timeout(HELLO_S):
            frame = await read(reader, limit=HELLO_BYTES)
    except (BrokenFrame, TimeoutError):
        return None
    return Hello.from_payload(frame.payload) if frame is not None and frame.kind is Kind.HELLO else None


async def _messages(channel: Channel) -> AsyncIterator[str | bytes]:
    """The carrier's messages, until it is gone or speaks something else."""
    while True:
        try:
            frame = await channel.receive()
        except BrokenFrame:
            logger.warning("attachment cut: a frame that is none")
            return
        match frame:
            case Frame(Kind.TEXT, payload):
                yield payload.decode(errors="replace")
            case Frame(Kind.BINARY, payload):
                yield payload
            case _:
                return


def _sender(channel: Channel) -> Send:
    async def send(text: str) -> None:
        if not channel.send(Kind.TEXT, text.encode()):
            raise ConnectionResetError("the carrier's side is gone, or does not read")

    return send
