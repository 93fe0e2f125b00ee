"""`callboard deploy`: puts this version on the Ray at RAY_ADDRESS and returns; nothing of it stays behind here."""

from actors.cluster.shared import missing
from cli.errand import run_errand
from cli.errors import StartFailed
from cli.terminal import Terminal
from models.settings import Settings

REFUSED = 2


def deploy(settings: Settings) -> int:
    """Deploy, or replace what runs without cutting a call; returns the exit status."""
    terminal = Terminal()
    try:
        if not settings.ray_address:
            raise StartFailed("deploying is for a Ray that is there already: set RAY_ADDRESS, or use `callboard up`")
        if lacking := missing(settings):
            raise StartFailed(f"every node has to be given the same {', '.join(lacking)}: set them")
        status = run_errand(settings, "deploy")
    except StartFailed as failure:
        terminal.error(str(failure))
        return REFUSED
    if status == 0:
        terminal.note(f"Callboard is deployed at {settings.base_url}.")
    return status
