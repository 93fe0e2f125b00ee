"""A call that repeats what it hears: a Driver for measuring the path, without anything a real call does."""

from contextlib import suppress
from datetime import UTC, datetime

from actors.call_session.door import Attachment
from actors.call_session.driver import CallParts
from models.call import Call, CallStatus

SETTLE_EVERY = 50
"""About once a second, as a real call does."""


class EchoDriver:
    """Sends every text message back and closes the log at the end."""

    def __init__(self, call: Call, parts: CallParts) -> None:
        self._call = call
        self._log = parts.log
        self._heard = 0

    async def run(self, media: Attachment) -> None:
        """Until the carrier is gone."""
        await self._log.connected(self._call, _now())
        with suppress(ConnectionError):
            async for message in media.inbound:
                self._heard += 1
                if self._heard % SETTLE_EVERY == 0:
                    media.settled(self._heard)
                if isinstance(message, str):
                    await media.send(message)
        await self._log.finish(self._call, status=CallStatus.COMPLETED, reason="hangup", now=_now())

    def end(self, reason: str) -> None:
        """Ends with its carrier only."""

    def snapshot(self) -> dict[str, object]:
        """How many messages came."""
        return {"heard": self._heard}


def _now() -> datetime:
    return datetime.now(UTC)
