"""Socket.IO events from any process to whoever watches a call: one Redis publish, delivered by the edge's replicas.

Events only tell what is stored already, so losing one must never harm a call: nothing here raises on a broken Redis.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from socketio.async_pubsub_manager import AsyncPubSubManager

from models.call import SessionId

PUBLISH_S = 1.0
QUIET_S = 60.0

log = logging.getLogger(__name__)


def room(session_id: str) -> str:
    """The Socket.IO room of everybody who watches this call."""
    return f"call:{session_id}"


def interim_room(session_id: str) -> str:
    """The room of those who also want to see what is not final yet."""
    return f"{room(session_id)}:interim"


class Events:
    """Publishes to rooms; `redis_url` as redis-py takes it (redis://, rediss://, unix://)."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_connect_timeout=PUBLISH_S,
            socket_timeout=PUBLISH_S,
            # Once more, for a connection that Redis closed while it was idle.
            retry=Retry(NoBackoff(), 1),
        )
        self._rooms = _Rooms(self._redis)
        self._quiet_until = 0.0

    async def publish(self, session_id: SessionId, event: str, payload: Mapping[str, Any]) -> None:
        """Send `event` to the call's room. Returns within a second; a failure is logged once a minute."""
        await self._emit(room(session_id), event, payload)

    async def publish_interim(self, session_id: SessionId, event: str, payload: Mapping[str, Any]) -> None:
        """The same, to those only who asked for what is not final."""
        await self._emit(interim_room(session_id), event, payload)

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def _emit(self, to: str, event: str, payload: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(PUBLISH_S):
                await self._rooms.emit(event, dict(payload), room=to)
        except (RedisError, OSError, TimeoutError) as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            log.error("live events are not delivered: Redis fails", extra={"error": type(error).__name__})


class _Rooms(AsyncPubSubManager):  # type: ignore[misc]
    """python-socketio's sending side on a client of ours, which reconnects by itself and whose errors come up.

    The library's own Redis manager swallows them, and leaves a client behind, unclosed, with each.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__(write_only=True)
        self._redis = redis

    async def _publish(self, data: dict[str, Any]) -> None:
        await self._redis.publish(self.channel, self.json.dumps(data))
