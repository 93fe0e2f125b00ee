"""A carrier's WebSocket and the call actor's TCP connection, joined: messages pass verbatim, whatever they mean.

What the messages mean is the codec's business in the actor; garbage passes through here untouched.

Neither direction ever waits for a slow side without an end: Serve reads a carrier's messages into a queue of no bound
as fast as they come, so holding back here would only move the heap there. A side that does not read is cut.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Any
from urllib.parse import urlencode

from starlette.websockets import WebSocket, WebSocketDisconnect

from actors.call_session.door import Endpoint
from actors.call_session.wire import (
    MAX_FRAME_BYTES,
    BrokenFrame,
    Channel,
    Frame,
    Hello,
    Kind,
    count_from_payload,
)
from serve_app.backlog import Backlog

logger = logging.getLogger(__name__)

CONNECT_S = 3.0
SEND_S = 10.0
"""A carrier that takes no message for so long is gone."""
LAST_WORD_S = 30.0
"""How long an actor may take to close the log of a call whose carrier has gone."""
MAX_MESSAGE_BYTES = MAX_FRAME_BYTES - 1
MAX_QUERY = 2048


class Ending(Enum):
    """Why a call's media ended."""

    CARRIER_GONE = auto()
    CARRIER_STUCK = auto()
    MESSAGE_TOO_BIG = auto()
    CALL_OVER = auto()
    ACTOR_LOST = auto()
    NO_CAPACITY = auto()


CLOSE_CODES = {
    Ending.CARRIER_GONE: 1000,
    Ending.CARRIER_STUCK: 1011,
    Ending.MESSAGE_TOO_BIG: 1009,
    Ending.CALL_OVER: 1000,
    Ending.ACTOR_LOST: 1011,
    Ending.NO_CAPACITY: 1013,
}
"""What the carrier's socket is closed with."""


class Carrier:
    """The carrier's side of a call: read by one task from beginning to end, whichever actor has the call meanwhile."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._backlog = Backlog()
        self._channel: Channel | None = None
        self._had_actor = False
        self._gone: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read())

    @property
    def gone(self) -> Ending | None:
        """How it left; None: it is there."""
        return self._gone.result() if self._gone.done() else None

    @property
    def dropped(self) -> int:
        """How many of its messages were too many to be kept for another actor."""
        return self._backlog.dropped

    async def wait(self, within_s: float) -> None:
        """Let so much time pass, or less when the carrier goes meanwhile."""
        await asyncio.wait({self._gone}, timeout=within_s)

    async def carried_by(self, endpoint: Endpoint, on_sign: Callable[[], None]) -> bool:
        """Have the actor there carry the call until it is over, and True; False: the actor is lost, the call is not.

        Everything the carrier said that no actor has settled is repeated first. `on_sign` is called with whatever
        the actor says.
        """
        is_first, self._had_actor = not self._had_actor, True
        channel = await _connected(endpoint)
        if channel is None:
            return False
        waiting = self._backlog.begin()
        hello = Hello(endpoint.token, self._query(), 0 if is_first else len(waiting))
        channel.send(Kind.HELLO, hello.to_payload())
        channel.send_all(waiting)
        self._channel = channel
        speaking = asyncio.create_task(self._from_actor(channel, on_sign))
        try:
            either: set[asyncio.Future[Any]] = {speaking, self._gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not speaking.done():
                channel.send(Kind.CLOSE, b"media ended")
                await self.close(CLOSE_CODES[self._gone.result()])
                await asyncio.wait({speaking}, timeout=LAST_WORD_S)
            return speaking.result() if speaking.done() else True
        finally:
            self._channel = None
            await _ended(speaking)
            await channel.close("media ended")

    async def close(self, code: int) -> None:
        """Say goodbye; that the carrier is gone already is no news."""
        await _ended(self._reading)
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close(code)

    async def _read(self) -> None:
        try:
            while (message := await self._websocket.receive())["type"] != "websocket.disconnect":
                frame = _frame(message)
                if len(frame.payload) > MAX_MESSAGE_BYTES:
                    return self._leave(Ending.MESSAGE_TOO_BIG)
                self._backlog.add(frame)
                if self._channel is not None:
                    self._channel.send(frame.kind, frame.payload)
        except Exception:
            logger.exception("a carrier's socket broke")
        self._leave(Ending.CARRIER_GONE)

    async def _from_actor(self, channel: Channel, on_sign: Callable[[], None]) -> bool:
        """Until the actor has said its last word; False: it can say none any more."""
        while True:
            try:
                frame = await channel.receive()
                match frame:
                    case Frame(Kind.TEXT | Kind.BINARY):
                        await self._pass_on(frame)
                    case Frame(Kind.KEEP, payload):
                        self._backlog.keep(payload)
                    case Frame(Kind.SETTLED, payload):
                        self._backlog.settle(count_from_payload(payload))
                    case Frame(Kind.CLOSE):
                        return True
                    case _:
                        channel.abort()
                        return False
            except BrokenFrame:
                channel.abort()
                return False
            on_sign()

    async def _pass_on(self, frame: Frame) -> None:
        """To a carrier that is gone or does not read nothing is passed on; its call is about to end."""
        if self._gone.done():
            return
        try:
            async with asyncio.timeout(SEND_S):
                if frame.kind is Kind.TEXT:
                    await self._websocket.send_text(frame.payload.decode())
                else:
                    await self._websocket.send_bytes(frame.payload)
        except (WebSocketDisconnect, RuntimeError):
            self._leave(Ending.CARRIER_GONE)
        except TimeoutError:
            self._leave(Ending.CARRIER_STUCK)

    def _leave(self, ending: Ending) -> None:
        if not self._gone.done():
            self._gone.set_result(ending)

    def _query(self) -> str:
        """What the carrier's URL says of the stream, such as its sample rate; our token stays here."""
        pairs = self._websocket.query_params.multi_items()
        said = urlencode([(name, value) for name, value in pairs if name != "token"])
        return said if len(said) <= MAX_QUERY else ""


async def _connected(endpoint: Endpoint) -> Channel | None:
    try:
        async with asyncio.timeout(CONNECT_S):
            return Channel(*await asyncio.open_connection(endpoint.host, endpoint.port))
    except (OSError, TimeoutError):
        return None


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel it, and wait until it is."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _frame(message: Any) -> Frame:
    """A WebSocket message as it goes to the actor."""
    text = message.get("text")
    return Frame(Kind.BINARY, message["bytes"]) if text is None else Frame(Kind.TEXT, text.encode())
