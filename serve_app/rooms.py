"""Socket.IO rooms over Redis, with one addition: a client that joins can be held until it has been told the past.

Without it, what happens between reading a call's log and entering its room is missed or comes twice.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import socketio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from socketio.async_manager import AsyncManager

logger = logging.getLogger(__name__)

Event = tuple[str, Any]

HELD_EVENTS = 1_000
"""What may wait for one client; far more than a call produces while its log is read."""
LISTEN_S = 10.0
AGAIN_S = 0.25
"""How often a Redis that is away is looked for."""


class HoldingManager(AsyncManager):  # type: ignore[misc]
    """Delivers to the clients of this process, except those that are held."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[tuple[str, str], list[Event]] = {}

    def hold(self, sid: str, room: str) -> None:
        """From now on keep the room's events for this client."""
        self._held[sid, room] = []

    def next_held(self, sid: str, room: str) -> Event | None:
        """The oldest kept event; None: there is none left, and from now on events go out directly again."""
        if waiting := self._held.get((sid, room)):
            return waiting.pop(0)
        self._held.pop((sid, room), None)
        return None

    def drop(self, sid: str, room: str | None = None) -> None:
        """Forget what is kept for a client that is gone, or has left one room."""
        for key in [key for key in self._held if key[0] == sid and room in (None, key[1])]:
            del self._held[key]

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: str | None = None,
        skip_sid: str | list[str] | None = None,
        callback: Callable[..., Any] | None = None,
        to: str | None = None,
        **kwargs: Any,
    ) -> None:
        """As the base class; events of a held client wait, the rest of the room gets them now."""
        room = to or room
        held = [sid for sid, held_room in self._held if held_room == room]
        for sid in held:
            waiting = self._held[sid, room or ""]
            if len(waiting) < HELD_EVENTS:
                waiting.append((event, data))
        skip = [*held, *(skip_sid if isinstance(skip_sid, list) else [skip_sid])]
        await super().emit(event, data, namespace, room=room, skip_sid=skip, callback=callback, **kwargs)


class Rooms(socketio.AsyncRedisManager, HoldingManager):  # type: ignore[misc]
    """The rooms of all replicas: python-socketio's Redis manager with `HoldingManager` as its local delivery.

    Its way of listening is replaced: after an outage that would stay away for up to a minute, and leave clients behind.
    """

    def __init__(self, redis_url: str) -> None:
        # redis-py gives every read 5 s; a subscription with nothing to say for longer is the normal case. It would also
        # try again by itself, at longer and longer intervals.
        options = {"socket_timeout": None, "health_check_interval": 10, "retry": Retry(NoBackoff(), 0)}
        super().__init__(redis_url, redis_options=options)  # type: ignore[call-arg]
        self._is_listening = asyncio.Event()

    async def listen(self, server: socketio.AsyncServer) -> None:
        """Subscribe now; python-socketio would wait for the first client, whose first events could then be missed."""
        server.manager_initialized = True
        self.initialize()
        try:
            async with asyncio.timeout(LISTEN_S):
                await self._is_listening.wait()
        except TimeoutError:  # it keeps trying; calls do not depend on it
            logger.error("live events are not received: Redis does not answer")

    async def close(self) -> None:
        """Stop listening and give the connection back."""
        self.thread.cancel()
        if self.redis is not None:
            await self.redis.aclose()

    async def _redis_listen_with_retries(self) -> AsyncIterator[dict[str, Any]]:
        """What is published, for ever; the manager's own name for it."""
        while True:
            try:
                async with Redis.from_url(self.redis_url, **self.redis_options) as redis, redis.pubsub() as pubsub:
                    await pubsub.subscribe(self.channel)
                    async for message in pubsub.listen():
                        if message["type"] == "subscribe":
                            self._is_listening.set()
                        yield message
            except (RedisError, OSError) as error:
                if self._is_listening.is_set():
                    logger.error("live events are not received", extra={"error": type(error).__name__})
                self._is_listening.clear()
            await asyncio.sleep(AGAIN_S)
