"""The carriers' media sockets: `/audio/{session_id}?token=...`. Checks, leases a call actor, relays messages verbatim.

What the messages mean is the codec's business in the actor; garbage passes through here untouched.

Neither direction ever waits for a slow side without an end: Serve reads a carrier's messages into a queue of no bound
as fast as they come, so holding back here would only move the heap there. A side that does not read is cut.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from enum import Enum, auto
from typing import Protocol
from urllib.parse import urlencode

from starlette.websockets import WebSocket, WebSocketDisconnect

from actors.call_session.pool import Lease
from actors.call_session.wire import MAX_FRAME_BYTES, BrokenFrame, Channel, Frame, Hello, Kind
from models.call import Call, CallStatus, SessionId
from models.errors import CallboardError, Conflict, NoCapacity
from services.call_log import CallLog
from services.carriage import Carriage

logger = logging.getLogger(__name__)

CONNECT_S = 5.0
SEND_S = 10.0
"""A carrier that takes no message for so long is gone."""
MAX_MESSAGE_BYTES = MAX_FRAME_BYTES - 1
MAX_QUERY = 2048
ACTOR_LOST = "call_actor_lost"


class Ending(Enum):
    """Why a relay ended."""

    CARRIER_GONE = auto()
    CARRIER_STUCK = auto()
    MESSAGE_TOO_BIG = auto()
    CALL_OVER = auto()
    ACTOR_LOST = auto()


CLOSE_CODES = {
    Ending.CARRIER_GONE: 1000,
    Ending.CARRIER_STUCK: 1011,
    Ending.MESSAGE_TOO_BIG: 1009,
    Ending.CALL_OVER: 1000,
    Ending.ACTOR_LOST: 1011,
}
REFUSED = 1008
TRY_LATER = 1013


class CallActors(Protocol):
    """What the media socket needs of the actors."""

    async def lease(self, session_id: str) -> Lease:
        """A warm actor; raises NoCapacity."""

    async def release(self, lease: Lease) -> None:
        """Give it back."""


class Media:
    """The endpoint. `now` is the clock."""

    def __init__(self, carriage: Carriage, log: CallLog, actors: CallActors, now: Callable[[], datetime]) -> None:
        self._carriage = carriage
        self._log = log
        self._actors = actors
        self._now = now
        self._live: set[asyncio.Task[None]] = set()

    async def serve(self, websocket: WebSocket) -> None:
        """One carrier connection, from its handshake to the end of the call.

        Serve cancels a handler as soon as the carrier is gone; a call has more to do then, so it runs by itself.
        """
        task = asyncio.create_task(self._serve(websocket))
        self._live.add(task)
        task.add_done_callback(self._live.discard)
        await asyncio.shield(task)

    async def _serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        session_id = SessionId(websocket.path_params["session_id"])
        try:
            call = await self._carriage.attach(session_id, websocket.query_params.get("token", ""), self._now())
            ending = await self._carry(call, websocket)
        except CallboardError as error:
            logger.warning("media socket refused: %s", error.code, extra={"problem": error.message})
            await _close(websocket, TRY_LATER if isinstance(error, NoCapacity) else REFUSED)
            return
        logger.info("media socket closed", extra={"call_id": call.id, "ending": ending.name.lower()})
        await _close(websocket, CLOSE_CODES[ending])

    async def _carry(self, call: Call, websocket: WebSocket) -> Ending:
        lease = await self._actors.lease(call.session_id)
        try:
            if await self._carriage.claim(call.session_id, lease.actor, self._now()) is None:
                raise Conflict("Call is already connected")
            ending = await _attached(lease, websocket)
            if ending is Ending.ACTOR_LOST:
                # The carrier is still here: leasing another actor and going on from the store belongs to this place.
                await self._log.finish(call, status=CallStatus.FAILED, reason=ACTOR_LOST, now=self._now())
            return ending
        finally:
            await self._actors.release(lease)


async def _attached(lease: Lease, websocket: WebSocket) -> Ending:
    """Connect to the actor and relay until either side ends."""
    endpoint = lease.endpoint
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    except (OSError, TimeoutError):
        return Ending.ACTOR_LOST
    channel = Channel(reader, writer)
    channel.send(Kind.HELLO, Hello(endpoint.token, _query(websocket)).to_payload())
    try:
        return await _first_end(_from_carrier(websocket, channel), _from_actor(channel, websocket))
    finally:
        await channel.close("media ended")


async def _first_end(*directions: Coroutine[None, None, Ending]) -> Ending:
    """Run both directions; the first that ends decides, the other is cancelled."""
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return next(task.result() for task in tasks if task in done)


async def _from_carrier(websocket: WebSocket, channel: Channel) -> Ending:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return Ending.CARRIER_GONE
        text = message.get("text")
        kind, payload = (Kind.BINARY, message["bytes"]) if text is None else (Kind.TEXT, text.encode())
        if len(payload) > MAX_MESSAGE_BYTES:
            return Ending.MESSAGE_TOO_BIG
        if not channel.send(kind, payload):
            return Ending.ACTOR_LOST


async def _from_actor(channel: Channel, websocket: WebSocket) -> Ending:
    while True:
        try:
            frame = await channel.receive()
            async with asyncio.timeout(SEND_S):
                match frame:
                    case Frame(Kind.TEXT, payload):
                        await websocket.send_text(payload.decode())
                    case Frame(Kind.BINARY, payload):
                        await websocket.send_bytes(payload)
                    case Frame(Kind.CLOSE):
                        return Ending.CALL_OVER
                    case _:
                        return Ending.ACTOR_LOST
        except BrokenFrame:
            return Ending.ACTOR_LOST
        except WebSocketDisconnect:
            return Ending.CARRIER_GONE
        except TimeoutError:
            return Ending.CARRIER_STUCK


def _query(websocket: WebSocket) -> str:
    """What the carrier's URL says of the stream, such as its sample rate; our token stays here."""
    said = urlencode([(name, value) for name, value in websocket.query_params.multi_items() if name != "token"])
    return said if len(said) <= MAX_QUERY else ""


async def _close(websocket: WebSocket, code: int) -> None:
    """Say goodbye; that the carrier is gone already is no news."""
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code)
