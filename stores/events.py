"""Socket.IO events from any process to whoever watches a call or a campaign: one Redis publish, delivered by the edge's
replicas.

Events only tell what is stored already, so a call never waits for them and nothing here raises on a broken Redis. While
it is away they are kept, in order, and sent when it is back.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from socketio.async_pubsub_manager import AsyncPubSubManager

from models.call import SessionId
from models.document import Id

PUBLISH_S = 0.5
"""The longest a call waits for Redis."""
KEPT = 10_000
"""Events of this process that wait for Redis; then the oldest are lost."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
LISTENERS_S = 5.0
"""After a restart replicas subscribe again; who speaks before that is not heard."""
LOOK_S = 0.1
CLOSE_S = 1.0
QUIET_S = 60.0

BROKEN = (RedisError, OSError, TimeoutError)

log = logging.getLogger(__name__)


def room(session_id: str) -> str:
    """The Socket.IO room of everybody who watches this call."""
    return f"call:{session_id}"


def interim_room(session_id: str) -> str:
    """The room of those who also want to see what is not final yet."""
    return f"{room(session_id)}:interim"


def campaign_room(campaign_id: str) -> str:
    """The room of everybody who watches this campaign."""
    return f"campaign:{campaign_id}"


def ignored(count: int) -> None:
    """Nobody counts what is lost."""


@dataclass(frozen=True, slots=True)
class _Event:
    room: str
    name: str
    payload: dict[str, Any]


class Events:
    """Publishes to rooms; `redis_url` as redis-py takes it (redis://, rediss://, unix://).

    `on_dropped` is told how many events were lost, each time some are.
    """

    def __init__(self, redis_url: str, *, kept: int = KEPT) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_connect_timeout=PUBLISH_S,
            socket_timeout=PUBLISH_S,
            # Once more, for a connection that Redis closed while it was idle.
            retry=Retry(NoBackoff(), 1),
        )
        self._rooms = _Rooms(self._redis)
        self._limit = kept
        self._kept: deque[_Event] = deque()
        self._delivery: asyncio.Task[None] | None = None
        self._quiet_until = 0.0
        self.on_dropped: Callable[[int], None] = ignored

    async def publish(self, session_id: SessionId, event: str, payload: Mapping[str, Any]) -> None:
        """Send `event` to the call's room, now or when Redis is back. Returns at once, or within PUBLISH_S."""
        sent = _Event(room(session_id), event, dict(payload))
        if self._is_behind or not await self._is_sent(sent):
            self._keep(sent)

    async def publish_interim(self, session_id: SessionId, event: str, payload: Mapping[str, Any]) -> None:
        """The same, to those only who asked for what is not final; what cannot be sent now is never sent."""
        if not self._is_behind:
            await self._is_sent(_Event(interim_room(session_id), event, dict(payload)))

    async def publish_to_campaign(self, campaign_id: Id, event: str, payload: Mapping[str, Any]) -> None:
        """Send `event` to the campaign's room, now or when Redis is back; of those that wait only the last is sent.

        Each says all there is to say, so the ones before it are not missed.
        """
        sent = _Event(campaign_room(campaign_id), event, dict(payload))
        if self._is_behind or not await self._is_sent(sent):
            self._kept = deque(each for each in self._kept if (each.room, each.name) != (sent.room, sent.name))
            self._keep(sent)

    async def close(self) -> None:
        """Send what is left, within CLOSE_S, and give the connections back."""
        if self._delivery is not None:
            self._delivery.cancel()
            await asyncio.gather(self._delivery, return_exceptions=True)
        with contextlib.suppress(*BROKEN):
            async with asyncio.timeout(CLOSE_S):
                while self._kept:
                    await self._send(self._kept[0])
                    self._kept.popleft()
        self._drop(len(self._kept))
        await self._redis.aclose()

    @property
    def _is_behind(self) -> bool:
        return bool(self._kept)

    async def _is_sent(self, event: _Event) -> bool:
        """Try once; False: Redis is away, or has come back before those who listen."""
        heard_before = self._rooms.listeners
        try:
            await self._send(event)
        except BROKEN as error:
            self._complain(error)
            return False
        if self._rooms.listeners or not heard_before:
            return True
        self._rooms.listeners = heard_before
        return False

    async def _send(self, event: _Event) -> None:
        async with asyncio.timeout(PUBLISH_S):
            await self._rooms.emit(event.name, event.payload, room=event.room)

    def _keep(self, event: _Event) -> None:
        if len(self._kept) >= self._limit:
            self._drop(1)
        self._kept.append(event)
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.create_task(self._deliver())

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._kept.popleft()
        if count:
            self.on_dropped(count)

    async def _deliver(self) -> None:
        """Send what is kept, however long Redis is away."""
        pause_s = FIRST_PAUSE_S
        while self._kept:
            try:
                await self._listeners_are_back()
                await self._send_kept()
            except BROKEN as error:
                self._complain(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _send_kept(self) -> None:
        while self._kept:
            event = self._kept[0]
            await self._send(event)
            if self._kept and self._kept[0] is event:  # it may have been dropped meanwhile
                self._kept.popleft()

    async def _listeners_are_back(self) -> None:
        """Wait for as many as heard us before, but not for ever: some may have gone for good."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTENERS_S):
                while await self._rooms.count_listeners() < self._rooms.listeners:  # noqa: ASYNC110 - Redis tells nobody
                    await asyncio.sleep(LOOK_S)

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            log.error("live events wait for Redis", extra={"error": type(error).__name__})


class _Rooms(AsyncPubSubManager):  # type: ignore[misc]
    """python-socketio's sending side on a client of ours, which reconnects by itself and whose errors come up.

    The library's own Redis manager swallows them, and leaves a client behind, unclosed, with each.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__(write_only=True)
        self._redis = redis
        self.listeners = 0
        """How many replicas heard the last event."""

    async def count_listeners(self) -> int:
        """How many replicas would hear the next; raises what redis-py raises."""
        counted = await self._redis.pubsub_numsub(self.channel)
        return int(counted[0][1])

    async def _publish(self, data: dict[str, Any]) -> None:
        self.listeners = await self._redis.publish(self.channel, self.json.dumps(data))
