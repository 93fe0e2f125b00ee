"""Whether the database and Redis answer: one cheap question to each. Raises what their drivers raise."""

from redis.asyncio import Redis

from stores.mongo import Database

CONNECT_S = 1.0


async def ask_mongodb(database: Database) -> None:
    """Returns once the database has answered."""
    await database.command("ping")


async def ask_redis(redis_url: str) -> None:
    """The same of Redis, over a connection of its own: one that is open says nothing of whether another would be."""
    async with Redis.from_url(redis_url, socket_connect_timeout=CONNECT_S, socket_timeout=CONNECT_S) as redis:
        await redis.ping()
