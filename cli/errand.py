"""Something to be done on a Ray that runs: the embedded one of `callboard up`, or the one at RAY_ADDRESS.

It is done in a child (`cli/on_ray.py`), because Ray and Serve read their environment when they are imported.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from cli import handover
from cli.embedded.places import runtime_path
from cli.embedded.ray import ray_answers, ray_environment
from cli.errors import StartFailed
from models.settings import REPOSITORY, Settings

INTERRUPTED = 130


def run_errand(settings: Settings, *errand: str) -> int:
    """The child's exit status. Raises StartFailed when no Ray answers."""
    local = settings.ray_address is None
    settings = reached(settings)
    environment = {**os.environ, **ray_environment(settings, local=local), "PYTHONPATH": str(REPOSITORY)}
    command = (sys.executable, "-m", "cli.on_ray", *errand)
    try:
        done = subprocess.run(command, input=handover.dump(settings), text=True, env=environment, check=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    return done.returncode


def reached(settings: Settings) -> Settings:
    """The settings with the address of a Ray that answers, or StartFailed."""
    settings = settings.model_copy(update={"callboard_data_dir": settings.callboard_data_dir.resolve()})
    address = settings.ray_address or embedded_address(settings.callboard_data_dir)
    if address is None:
        raise StartFailed("no Ray runs here: start `callboard up` first, or set RAY_ADDRESS")
    if address != "auto" and not asyncio.run(ray_answers(address)):
        raise StartFailed(f"ray does not answer at {address}: check RAY_ADDRESS")
    return settings.model_copy(update={"ray_address": address})


def embedded_address(data_dir: Path) -> str | None:
    """Where the Ray of a `callboard up` on this data directory is, if one was started."""
    try:
        return (runtime_path(data_dir) / "ray" / "ray_current_cluster").read_text().strip() or None
    except FileNotFoundError:
        return None
