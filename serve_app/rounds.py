"""The sweeper's rounds. Every replica asks Redis for each round; one gets it.

A replica and not the pool actor runs them: replicas hold the services and outlive each other, pools know only actors.
The ticket saves work and nothing more, since sweeping twice changes nothing: without Redis, every replica sweeps.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from models.settings import Settings
from services.sweeper import Sweeper

logger = logging.getLogger(__name__)

ROUND_S = 5.0
REDIS_S = 2.0
TICKET = "callboard:sweep"


class Rounds:
    """Runs in the background between `running`'s begin and end. `now` is the clock."""

    def __init__(self, settings: Settings, sweeper: Sweeper, now: Callable[[], datetime]) -> None:
        self._sweeper = sweeper
        self._now = now
        self._redis = Redis.from_url(
            settings.redis_url or "",
            socket_timeout=REDIS_S,
            socket_connect_timeout=REDIS_S,
            # Once more, for a connection that was idle; redis-py by itself would wait longer than a round takes.
            retry=Retry(NoBackoff(), 1),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Rounds go on until the context is left."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._redis.aclose()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(ROUND_S)
            if await self._is_ours():
                try:
                    await self._sweeper.sweep(self._now())
                except Exception:  # whatever it was, the next round must come
                    logger.exception("a sweep broke off")

    async def _is_ours(self) -> bool:
        try:
            return bool(await self._redis.set(TICKET, b"", nx=True, px=int(ROUND_S * 900)))
        except RedisError:
            return True
