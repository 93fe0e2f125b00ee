"""The embedded Redis: its address and its child process.

It holds locks, rate limits and the messages between replicas, all of which may be lost; nothing is written to disk.
Reached on a Unix socket with `unix:///path/redis.sock`, which redis-py and python-socketio both take.

In tests: the session fixture `redis_url` (tests/conftest.py). By hand: `python -m cli.embedded`.
"""

from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cli.child import Child
from cli.embedded import tools
from cli.embedded.places import make_runtime_dir, runtime_path


def redis_url(data_dir: Path) -> str:
    """Where the Redis of this data directory is reached."""
    return f"unix://{_socket(data_dir)}"


def redis_child(data_dir: Path) -> Child:
    """The server's process."""
    directory = make_runtime_dir(data_dir)
    url = redis_url(data_dir)

    async def ready() -> bool:
        return await redis_answers(url)

    return Child(
        name="redis",
        command=(
            *(
                str(tools.redis_server()),
                "--port",
                "0",
                "--unixsocket",
                str(_socket(data_dir)),
                "--unixsocketperm",
                "700",
            ),
            *("--dir", str(directory), "--save", "", "--appendonly", "no", "--daemonize", "no"),
        ),
        setting="REDIS_URL",
        place=f"embedded, {_socket(data_dir)}",
        ready=ready,
    )


async def redis_answers(url: str) -> bool:
    """Whether a server answers a PING at `url`."""
    try:
        async with Redis.from_url(url, socket_connect_timeout=1.5, socket_timeout=1.5) as client:
            await client.ping()
    except (RedisError, OSError):
        return False
    return True


def _socket(data_dir: Path) -> Path:
    return runtime_path(data_dir) / "redis.sock"
