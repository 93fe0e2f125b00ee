"""The child that does an errand on a Ray. Reads its settings from standard input.

    python -m cli.on_ray deploy
    python -m cli.on_ray drain NODE WAIT_S leave|stay

Started by cli/errand.py, with the environment that Ray and Serve want to find when they are imported.
"""

import sys
from collections.abc import Iterable, Sequence

from actors.cluster import pool
from cli import handover
from cli.drain import drained
from cli.terminal import Terminal
from models.errors import CallboardError
from models.settings import Settings
from serve_app import app

FAILED = 2


class PoolsOf:
    """Satisfies `drain.Pools` for the Ray this process is connected to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def view(self) -> Sequence[pool.PoolView]:
        """See Pools."""
        return pool.view(self._settings)

    def drain(self, node_ids: Iterable[str]) -> None:
        """See Pools."""
        pool.drain(self._settings, node_ids)

    def leave(self, node_id: str, within_s: float) -> None:
        """See Pools."""
        pool.leave(node_id, within_s)


def main(errand: str, *arguments: str) -> int:
    """Do it; returns the exit status."""
    settings = handover.load(sys.stdin)
    terminal = Terminal()
    try:
        if errand == "deploy":
            app.deploy(settings)
            return 0
        node, wait_s, manner = arguments
        app.connect_to_ray(settings, is_quiet=True)
        return drained(PoolsOf(settings), terminal, node=node, wait_s=float(wait_s), is_leaving=manner == "leave")
    except CallboardError as error:
        terminal.error(error.message)
        return FAILED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
