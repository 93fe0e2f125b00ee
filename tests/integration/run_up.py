"""Runs `callboard up` with a stand-in for the Serve application: a child that answers /health and nothing else.

python -m tests.integration.run_up       the command, settings from the environment
python -m tests.integration.run_up PORT  the stand-in itself
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx

from cli.child import Child
from cli.up import up
from models.settings import REPOSITORY, Settings


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Nothing to say."""


def stand_in(settings: Settings, *, local_ray: bool) -> Child:
    """The child in place of the application."""

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{settings.port}/health")).is_success
        except httpx.HTTPError:
            return False

    return Child(
        name="serve",
        command=(sys.executable, "-m", "tests.integration.run_up", str(settings.port)),
        setting="PORT",
        place=f"stand-in, {'own' if local_ray else 'given'} Ray",
        env={"PYTHONPATH": str(REPOSITORY)},
        ready=ready,
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        HTTPServer(("127.0.0.1", int(sys.argv[1])), _Health).serve_forever()
    sys.exit(up(Settings(), demo=False, application=stand_in))
