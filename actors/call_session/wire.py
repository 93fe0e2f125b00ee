"""Messages between the edge (`serve_app/media.py`) and a call actor: one TCP connection, length-prefixed frames.

Frame: 4 bytes big-endian length of the rest, 1 byte kind, payload. The first frame on a connection is HELLO
with the attachment's token; then TEXT and BINARY frames carry the carrier's WebSocket messages verbatim, both
ways; CLOSE (payload: UTF-8 reason) ends it. Anything else closes the connection.
"""

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum

MAX_FRAME_BYTES = 1 << 20
_HEADER = struct.Struct(">IB")


class Kind(IntEnum):
    """What a frame's payload is."""

    HELLO = 1
    TEXT = 2
    BINARY = 3
    CLOSE = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    payload: bytes


class BrokenFrame(Exception):
    """The peer does not speak this protocol."""


def encode(kind: Kind, payload: bytes) -> bytes:
    """The bytes of one frame."""
    return _HEADER.pack(len(payload) + 1, kind) + payload


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None at the end of the stream; raises BrokenFrame on anything that is not one."""
    try:
        length, kind = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        if not 1 <= length <= MAX_FRAME_BYTES or kind not in Kind:
            raise BrokenFrame(f"length {length}, kind {kind}")
        return Frame(Kind(kind), await reader.readexactly(length - 1))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
