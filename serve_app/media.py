"""The carriers' media sockets: `/audio/{session_id}?token=...`. Lets in who may come in, and says goodbye."""

import logging
from collections.abc import Callable
from datetime import datetime

from starlette.websockets import WebSocket

from models.call import SessionId
from models.errors import CallboardError, NoCapacity
from serve_app.live_call import CallActors as CallActors, LiveCall
from serve_app.relay import CLOSE_CODES, Carrier
from services.call_log import CallLog
from services.carriage import Carriage
from stores.outage import AWAY

logger = logging.getLogger(__name__)

BROKEN = 1011
REFUSED = 1008
TRY_LATER = 1013


class Media:
    """The endpoint. `now` is the clock."""

    def __init__(self, carriage: Carriage, log: CallLog, actors: CallActors, now: Callable[[], datetime]) -> None:
        self._carriage = carriage
        self._log = log
        self._actors = actors
        self._now = now

    async def serve(self, websocket: WebSocket) -> None:
        """One carrier connection, from its handshake to the end of the call, which has more to do when the carrier is
        gone: `serve_app.finishing` sees to it that it may.
        """
        await websocket.accept()
        carrier, code = Carrier(websocket), BROKEN
        try:
            code = await self._carry(websocket, carrier)
        finally:
            await carrier.close(code)

    async def _carry(self, websocket: WebSocket, carrier: Carrier) -> int:
        """The code to close with."""
        session_id = SessionId(websocket.path_params["session_id"])
        try:
            call = await self._carriage.attach(session_id, websocket.query_params.get("token", ""), self._now())
            ending = await LiveCall(
                call, carrier, carriage=self._carriage, log=self._log, actors=self._actors, now=self._now
            ).run()
        except CallboardError as error:
            logger.warning("media socket refused: %s", error.code, extra={"problem": error.message})
            return TRY_LATER if isinstance(error, NoCapacity) else REFUSED
        except AWAY as error:
            logger.error("media socket refused: the database is away", extra={"problem": type(error).__name__})
            return TRY_LATER
        logger.info("media socket closed", extra={"call_id": call.id, "ending": ending.name.lower()})
        return CLOSE_CODES[ending]
