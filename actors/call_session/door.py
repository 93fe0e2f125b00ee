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

from actors.call_session.wire import BrokenFrame, Channel, Frame, Hello, Kind, count_to_payload, read
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
    """A call's media: `inbound` has the carrier's messages until it is gone, `query` is that of its socket's URL.

    `keep`, `settled`, `hang_up` and `is_closed` neither wait nor raise.
    """

    session_id: str
    query: Mapping[str, str]
    inbound: AsyncIterator[str | bytes]
    send: Send
    repeats: int
    """The first so many of `inbound` were said before this actor came: another had them, and died."""
    keep: Callable[[str], None]
    """Names the message that opened the stream: should this actor die, the next one gets it first."""
    settled: Callable[[int], None]
    """Of the messages of `inbound`, none of the first so many would be needed by a next actor; repeats count."""
    hang_up: Callable[[], None]
    """Has the carrier's side closed at once, although the call's log is not written yet."""
    is_closed: Callable[[], bool]
    """Once `inbound` has ended: True, the carrier is gone or was told to go; False, the edge itself was lost."""


Attend = Callable[[Attachment], Awaitable[None]]
"""Carries a call on an attachment. Its return says the call is over; its failure, that another actor shall go on."""


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
        line = _Line(Channel(reader, writer))
        try:
            await self._attend(line.attachment(armed.session_id, hello))
            await line.channel.close("over")
        except Exception:
            logger.exception("an attachment broke", extra={"session_id": armed.session_id})
        finally:
            # After a failure nothing was said: to the edge the actor is lost, and it looks for another.
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


class _Line:
    """One connection as a call sees it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._is_closed = False

    def attachment(self, session_id: str, hello: Hello) -> Attachment:
        """What the call gets of it."""
        return Attachment(
            session_id=session_id,
            query=dict(parse_qsl(hello.query)),
            inbound=self._messages(),
            send=self._send,
            repeats=hello.repeats,
            keep=lambda message: self._tell(Kind.KEEP, message.encode()),
            settled=lambda count: self._tell(Kind.SETTLED, count_to_payload(count)),
            hang_up=lambda: self._tell(Kind.CLOSE, b"over"),
            is_closed=lambda: self._is_closed,
        )

    async def _messages(self) -> AsyncIterator[str | bytes]:
        """The carrier's messages, until it is gone or the edge speaks something else."""
        while True:
            try:
                frame = await self.channel.receive()
            except BrokenFrame:
                logger.warning("attachment cut: a frame that is none")
                return
            match frame:
                case Frame(Kind.TEXT, payload):
                    yield payload.decode(errors="replace")
                case Frame(Kind.BINARY, payload):
                    yield payload
                case _:
                    self._is_closed = frame is not None and frame.kind is Kind.CLOSE
                    return

    async def _send(self, text: str) -> None:
        if not self.channel.send(Kind.TEXT, text.encode()):
            raise ConnectionResetError("the carrier's side is gone, or does not read")

    def _tell(self, kind: Kind, payload: bytes) -> None:
        self.channel.send(kind, payload)  # to an edge that is gone it would be of no use
