"""Socket.IO events from any process to whoever watches a call: one Redis publish, delivered by the edge's replicas.

Events only tell what is stored already, so losing one must never harm a call: nothing here raises on a broken Redis.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import socketio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from models.call import SessionId

PUBLISH_S = 1.0
QUIET_S = 60.0

log = logging.getLogger(__name__)


def room(session_id: str) -> str:
    """The Socket.IO room of everybody who watches this call."""
    return f"call:{session_id}"


class Events:
    """Publishes to rooms; `redis_url` as redis-py takes it (redis://, rediss://, unix://)."""

    def __init__(self, redis_url: str) -> None:
        self._failures = logging.Logger(f"{__name__}.redis")
        self._failures.addHandler(_OncePerMinute())
        options = {
            "socket_connect_timeout": PUBLISH_S,
            "socket_timeout": PUBLISH_S,
            # The manager itself tries twice.
            "retry": Retry(NoBackoff(), 0),
        }
        # The default channel, as at the edge.
        self._manager = socketio.AsyncRedisManager(
            redis_url, write_only=True, logger=self._failures, redis_options=options
        )

    async def publish(self, session_id: SessionId, event: str, payload: Mapping[str, Any]) -> None:
        """Send `event` to the call's room. Returns within a second; a failure is logged once a minute."""
        try:
            async with asyncio.timeout(PUBLISH_S):
                await self._manager.emit(event, dict(payload), room=room(session_id))
        except TimeoutError:
            self._failures.error("Redis did not answer in time")

    async def close(self) -> None:
        """Give the connection back."""
        if self._manager.redis is not None:
            await self._manager.redis.aclose()


class _OncePerMinute(logging.Handler):
    """Lets one of the manager's complaints through per minute, as ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._quiet_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            log.error("Live events are not delivered: Redis cannot be reached", extra={"detail": record.getMessage()})
