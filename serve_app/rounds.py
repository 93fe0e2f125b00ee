"""Rounds in the background of a replica: those that one replica makes at a time, and those that each makes.

A replica and not the pool actor runs them: replicas hold the services and outlive each other, pools know only actors.
For the first kind every replica asks Redis for each round, and one gets it. That ticket saves work and nothing more,
as a round that is made twice changes nothing: without Redis, every replica makes all of them.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from models.settings import Settings
from services.claim_runner import break_off

logger = logging.getLogger(__name__)

REDIS_S = 2.0
AGAIN_S = 2.0
"""After a round of every replica's that broke off: the database is away."""

Round = Callable[[], Awaitable[None]]


@asynccontextmanager
async def repeated(rounds: Sequence[tuple[Round, float]]) -> AsyncIterator[None]:
    """Makes each round again and again, with its pause in seconds after it, until the context is left."""
    tasks = [asyncio.create_task(_repeat(make, pause_s)) for make, pause_s in rounds]
    try:
        yield
    finally:
        await break_off(tasks)


class Rounds:
    """Makes a round every `every_s` between `running`'s begin and end. `name` is the ticket's."""

    def __init__(self, settings: Settings, name: str, every_s: float, make: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._every_s = every_s
        self._make = make
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
            await asyncio.sleep(self._every_s)
            if await self._is_ours():
                try:
                    await self._make()
                except Exception:  # whatever it was, the next round must come
                    logger.exception("a round broke off", extra={"round": self._name})

    async def _is_ours(self) -> bool:
        try:
            return bool(await self._redis.set(f"callboard:{self._name}", b"", nx=True, px=int(self._every_s * 900)))
        except RedisError:
            return True


async def _repeat(make: Round, pause_s: float) -> None:
    while True:
        try:
            await make()
            await asyncio.sleep(pause_s)
        except Exception:  # whatever it was, the next round must come
            logger.exception("a round broke off", extra={"round": make.__qualname__})
            await asyncio.sleep(AGAIN_S)
