"""Runs the embedded MongoDB and Redis alone and prints their addresses, for work on stores without the rest.

.venv/bin/python -m cli.embedded [DATA_DIR]
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from cli.embedded.mongodb import mongodb_child, mongodb_url
from cli.embedded.redis import redis_child, redis_url
from cli.errors import StartFailed
from cli.supervisor import Supervisor
from cli.terminal import Terminal


async def _run(data_dir: Path) -> None:
    async with Supervisor(data_dir / "logs", Terminal()) as supervisor:
        await supervisor.start(mongodb_child(data_dir))
        await supervisor.start(redis_child(data_dir))
        print(f"MONGODB_URL={mongodb_url(data_dir)}\nREDIS_URL={redis_url(data_dir)}", flush=True)
        await supervisor.wait()


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(Path(sys.argv[1] if len(sys.argv) > 1 else "data").resolve()))
    except StartFailed as failure:
        sys.exit(f"error: {failure}")
