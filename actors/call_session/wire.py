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
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

MAX_FRAME_BYTES = 1 << 20
MAX_UNREAD_BYTES = 512 * 1024
"""What may wait for a peer that does not read: 24 s of telephone audio as JSON. Beyond it the connection is cut."""
FLUSH_S = 2.0
SILENCE_S = 5
"""How long a machine that vanished without a word, as with its power, is taken for one that has nothing to say."""
_HEADER = struct.Struct(">IB")
_COUNT = struct.Struct(">I")


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


def count_to_payload(count: int) -> bytes:
    """The payload of SETTLED."""
    return _COUNT.pack(count)


def count_from_payload(payload: bytes) -> int:
    """The other way; raises BrokenFrame on anything that is none."""
    if len(payload) != _COUNT.size:
        raise BrokenFrame(f"a count of {len(payload)} bytes")
    return int(_COUNT.unpack(payload)[0])


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
        self._most_unread = MAX_UNREAD_BYTES
        _notice_silence(writer)

    async def receive(self) -> Frame | None:
        """The next frame, as `read`."""
        return await read(self._reader)

    def send(self, kind: Kind, payload: bytes) -> bool:
        """Hand over one frame; False: the connection is gone, or was cut just now because its peer does not read."""
        transport = self._writer.transport
        if transport.is_closing():
            return False
        if transport.get_write_buffer_size() > self._most_unread:
            transport.abort()
            return False
        self._writer.write(encode(kind, payload))
        return True

    def send_all(self, frames: Iterable[Frame]) -> None:
        """Hand over many at once. They come on top of what may wait, so it is the sender who bounds them."""
        data = b"".join(encode(frame.kind, frame.payload) for frame in frames)
        self._most_unread += len(data)
        self._writer.write(data)

    def abort(self) -> None:
        """Let go of the connection at once and without a word: the peer is to take this side for dead."""
        self._writer.transport.abort()

    async def close(self, reason: str) -> None:
        """Say CLOSE, give what is under way FLUSH_S to leave, and let go of the connection."""
        self.send(Kind.CLOSE, reason.encode())
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                self._writer.close()
                await self._writer.wait_closed()
        self._writer.transport.abort()


def _notice_silence(writer: asyncio.StreamWriter) -> None:
    """Have the system break a connection whose other machine is gone, whether we have something to send or not.

    A process that dies is no matter: its system says so. One that stands still is not noticed here, its system answers.
    """
    connection = writer.get_extra_info("socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, SILENCE_S - 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_S * 1000)
