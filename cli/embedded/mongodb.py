"""The embedded MongoDB: its address and its child process.

The real engine inside a small Node process (`mongodb_engine/server.mjs`), served on a Unix socket and reached with
`mongodb://%2Fpath%2Fmongodb.sock/?directConnection=true`. It journals: a write with `j: true` survives SIGKILL.
No sessions, transactions, change streams, TTL expiry, server-side JavaScript or auth; nothing of ours relies on them.

In tests: the session fixture `mongodb_url` (tests/conftest.py). By hand: `python -m cli.embedded`.
"""

from pathlib import Path
from urllib.parse import quote

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from cli.child import Child
from cli.embedded import tools
from cli.embedded.places import make_runtime_dir, runtime_path

PROBE_MS = 1500


def mongodb_url(data_dir: Path) -> str:
    """Where the engine of this data directory is reached."""
    return f"mongodb://{quote(str(_socket(data_dir)), safe='')}/?directConnection=true"


def mongodb_child(data_dir: Path) -> Child:
    """The engine's process; it keeps its data in `data_dir`/mongodb."""
    tools.mongodb_engine()
    url = mongodb_url(data_dir)

    async def ready() -> bool:
        return await _set_up(url)

    server = str(tools.ENGINE / "server.mjs")
    data = data_dir.resolve() / "mongodb"
    return Child(
        name="mongodb",
        command=(*tools.node_command(), server, str(data), str(_socket(data_dir))),
        setting="MONGODB_URL",
        place=f"embedded, {data}",
        env={"TMPDIR": str(make_runtime_dir(data_dir)), "UV_THREADPOOL_SIZE": "8"},
        ready=ready,
    )


async def mongodb_answers(url: str) -> bool:
    """Whether a server answers a ping at `url`."""
    try:
        async with AsyncMongoClient[dict[str, object]](url, serverSelectionTimeoutMS=PROBE_MS) as client:
            await client.admin.command("ping")
    except PyMongoError:
        return False
    return True


async def _set_up(url: str) -> bool:
    """Tell the engine, at each start, how to choose plans; whether it answered.

    By default it estimates costs when trials of the candidates bring no result soon, as on a late page of a long list.
    The estimates need an execution engine that this build lacks, and the query fails.
    """
    try:
        async with AsyncMongoClient[dict[str, object]](url, serverSelectionTimeoutMS=PROBE_MS) as client:
            await client.admin.command("setParameter", 1, internalQueryPlanRanker="multiPlanning")
    except PyMongoError:
        return False
    return True


def _socket(data_dir: Path) -> Path:
    return runtime_path(data_dir) / "mongodb.sock"
