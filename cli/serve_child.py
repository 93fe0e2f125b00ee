"""The Serve application as a child: cli/serve.py, fed the settings, ready when /health answers."""

import sys

import httpx

from cli import handover
from cli.child import PROBE_S, Child
from cli.embedded.ray import ray_environment
from models.settings import REPOSITORY, Settings


def serve_child(settings: Settings, *, local_ray: bool) -> Child:
    """The child for finished settings."""
    url = f"http://{_reachable(settings.host)}:{settings.port}/health"

    async def ready() -> bool:
        return await _healthy(url)

    return Child(
        name="serve",
        command=(sys.executable, "-m", "cli.serve"),
        setting="PORT",
        place=settings.base_url,
        env={**ray_environment(settings, local=local_ray), "PYTHONPATH": str(REPOSITORY)},
        stdin=handover.dump(settings),
        ready=ready,
        ready_timeout_s=300.0,
        stop_grace_s=6.0,
    )


async def _healthy(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=PROBE_S, verify=False) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "", "::") else host
