"""Ends an actor for good, as `ray.kill` does: python -m bench.lose_actor NAME, settings on standard input.

A process of its own, because one that has imported ray before cannot join a cluster on loopback any more.
"""

import asyncio
import os
import sys

from cli import handover
from cli.embedded.ray import ray_environment
from models.settings import REPOSITORY, Settings


async def lose(settings: Settings, name: str) -> None:
    """Have it done; raises RuntimeError when it was not."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.lose_actor",
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **ray_environment(settings), "PYTHONPATH": str(REPOSITORY)},
    )
    output, _ = await process.communicate(handover.dump(settings).encode())
    if process.returncode:
        raise RuntimeError(output.decode())


if __name__ == "__main__":
    from actors.handles import kill
    from serve_app.app import connect_to_ray

    given = handover.load(sys.stdin)
    connect_to_ray(given, is_quiet=True)
    kill(given.ray_namespace, sys.argv[1])
