"""Puts the product with the echo as driver on a running Ray until SIGTERM; a process of its own, as `cli/serve.py` is.

Ray reads its environment when it is imported, so whoever measures or tests starts this with `ray_environment`.
"""

import signal
import sys

import httpx

from cli import handover
from cli.child import Child
from cli.embedded.ray import ray_environment
from models.settings import REPOSITORY, Settings

ECHO_DRIVER = "bench.echo:EchoDriver"
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Deploy, wait to be told, shut down."""
    from serve_app import app

    app.deploy(handover.load(sys.stdin), driver=ECHO_DRIVER)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    signal.sigwait(ENDINGS)
    app.shutdown()


def echo_child(settings: Settings) -> Child:
    """This program as a child for `cli.background`; `settings` have everything, the Ray's address too."""
    url = f"http://127.0.0.1:{settings.port}/health"

    async def ready() -> bool:
        async with httpx.AsyncClient(timeout=2.0) as client:
            try:
                return (await client.get(url)).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

    return Child(
        name="echo",
        command=(sys.executable, "-m", "bench.serve_echo"),
        setting="PORT",
        env={**ray_environment(settings), "PYTHONPATH": str(REPOSITORY)},
        stdin=handover.dump(settings),
        ready=ready,
        ready_timeout_s=240.0,
        stop_grace_s=20.0,
    )


if __name__ == "__main__":
    main()
