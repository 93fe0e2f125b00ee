"""How often somebody did something lately: fixed windows in Redis, counted by one script in one round trip."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError, RedisError

from models.errors import Unavailable

COUNT_S = 0.5
"""The longest a request waits for its count."""
CONNECTIONS = 16
DOWN_S = 1.0
"""After a failure nobody waits for Redis again for so long."""
QUIET_S = 60.0

# The first hit opens a window; the key goes when it ends. A window never moves, so refused hits do not prolong it.
SCRIPT = """
local counts = {}
for i, key in ipairs(KEYS) do
    local hits = redis.call('INCR', key)
    if hits == 1 then redis.call('PEXPIRE', key, ARGV[i]) end
    counts[i] = {hits, redis.call('PTTL', key)}
end
return counts
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` hits under `key` within `window_s` of the first. Keys counted together share a `{hash tag}`."""

    key: str
    limit: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Count:
    """A window after a hit: how many there were, this one included, and when it ends."""

    window: Window
    hits: int
    left_ms: int

    @property
    def is_over(self) -> bool:
        """This hit was one too many."""
        return self.hits > self.window.limit

    @property
    def remaining(self) -> int:
        """Hits that are still free."""
        return max(0, self.window.limit - self.hits)


class Limits:
    """Counts in the Redis at `redis_url`; one object per process."""

    def __init__(self, redis_url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=CONNECTIONS,
            timeout=COUNT_S,
            socket_connect_timeout=COUNT_S,
            socket_timeout=COUNT_S,
            # Once more, for a connection that Redis closed while it was idle; after a timeout it would count twice.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(SCRIPT)
        self._down_until = 0.0
        self._quiet_until = 0.0

    async def hit(self, windows: Sequence[Window]) -> list[Count]:
        """Count one hit in each window. Raises Unavailable within `COUNT_S` when Redis does not answer."""
        if time.monotonic() < self._down_until:
            raise Unavailable("Requests cannot be counted at the moment, try again")
        keys, lengths = [window.key for window in windows], [window.window_s * 1000 for window in windows]
        try:
            async with asyncio.timeout(COUNT_S):
                counts = await self._script(keys=keys, args=lengths)
        except (RedisError, OSError, TimeoutError) as error:
            self._fail(error)
            raise Unavailable("Requests cannot be counted at the moment, try again") from error
        return [Count(window, hits, left_ms) for window, (hits, left_ms) in zip(windows, counts, strict=True)]

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    def _fail(self, error: Exception) -> None:
        now = time.monotonic()
        self._down_until = now + DOWN_S
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            log.error("requests are not counted: Redis fails", extra={"error": type(error).__name__})
