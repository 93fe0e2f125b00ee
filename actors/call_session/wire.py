"""Messages between the edge (`serve_app/media.py`) and a call actor: one TCP connection, length-prefixed frames.

Frame: 4 bytes big-endian length of the rest, 1 byte kind, payload. The first frame on a connection is HELLO with the
attachment's token, after a line feed the query of the carrier's URL, and after another how many of the frames that
follow are repeated; then TEXT and BINARY frames carry the carrier's WebSocket messages verbatim, both ways; CLOSE
(payload: UTF-8 reason) ends it. Anything else closes the connection.

For the day the actor dies, it says what the edge must repeat to the next one: KEEP (payload: a carrier's message) names
the one that opened the stream, SETTLED (payload: a 32-bit count of the carrier's messages on this connection, the
repeated ones included) those before which nothing is needed any more.
"""

import asyncio
import contextlib
import struct
from dataclasses import dataclass, field
from enum import IntEnum

MAX_FRAME_BYTES = 1 << 20
MAX_UNREAD_BYTES = 512 * 1024
"""What may wait for a peer that does not read: 24 s of telephone audio as JSON. Beyond it the connection is cut."""
FLUSH_S = 2.0
_HEADER = struct.Struct(">IB")


class Kind(IntEnum):
    """What a frame's payload is."""

    HELLO = 1
    TEXT = 2
    BINARY = 3
    CLOSE = 4
    KEEP = 5
    SETTLED = 6


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """The payload of HELLO; `query` is URL-encoded, without our token; the first `repeats` messages are repeated."""

    token: str = field(repr=False)
    query: str = ""
    repeats: int = 0

    def to_payload(self) -> bytes:
        """As it travels."""
        return f"{self.token}\n{self.query}\n{self.repeats}".encode()

    @staticmethod
    def from_payload(payload: bytes) -> "Hello":
        """Any bytes make a HELLO; whether its token is right is another question."""
        token, query, repeats, *_ = (*payload.decode(errors="replace").split("\n"), "", "")
        return Hello(token, query, int(repeats) if repeats.isdecimal() and repeats.isascii() else 0)


class BrokenFrame(Exception):
    """The peer does not speak this protocol."""


def encode(kind: Kind, payload: bytes) -> bytes:
    """The bytes of one frame."""
    return _HEADER.pack(len(payload) + 1, kind) + payload


async def read(reader: asyncio.StreamReader, *, limit: int = MAX_FRAME_BYTES) -> Frame | None:
    """The next frame; None at the end of the stream; raises BrokenFrame on anything that is not one."""
    try:
        length, code = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        kind = _KINDS.get(code)
        if not 1 <= length <= limit or kind is None:
            raise BrokenFrame(f"length {length}, kind {code}")
        return Frame(kind, await reader.readexactly(length - 1))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


class Channel:
    """One open connection. Sending never waits, so a slow peer can hold up nobody: it is cut at MAX_UNREAD_BYTES.

    asyncio sets TCP_NODELAY on TCP transports by itself.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> Frame | None:
        """The next frame, as `read`."""
        return await read(self._reader)

    def send(self, kind: Kind, payload: bytes) -> bool:
        """Hand over one frame; False: the connection is gone, or was cut just now because its peer does not read."""
        transport = self._writer.transport
        if transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            transport.abort()
            return False
        self._writer.write(encode(kind, payload))
        return True

    async def close(self, reason: str) -> None:
        """Say CLOSE, give what is under way FLUSH_S to leave, and let go of the connection."""
        self.send(Kind.CLOSE, reason.encode())
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                self._writer.close()
                await self._writer.wait_closed()
        self._writer.transport.abort()
