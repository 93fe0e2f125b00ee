"""`callboard admin EMAIL`: who runs this installation. Not to be had over the API: it takes the database's address."""

import asyncio
from datetime import UTC, datetime

from cli.embedded.mongodb import mongodb_answers, mongodb_url
from cli.errors import StartFailed
from cli.terminal import Terminal
from models.errors import NotFound
from models.settings import Settings
from stores.mongo import connect, database
from stores.repositories import Repositories


def admin(settings: Settings, email: str) -> int:
    """Make the user with this address an administrator of the installation; 1 when that fails."""
    terminal = Terminal()
    try:
        asyncio.run(make_admin(settings, email))
    except StartFailed as failure:
        terminal.error(str(failure))
        return 1
    terminal.note(f"{email} is an administrator of this installation.")
    return 0


async def make_admin(settings: Settings, email: str) -> None:
    """Give an existing user the installation's role "admin", in MONGODB_URL or the embedded database that runs.

    Raises StartFailed when neither answers, and when nobody has this address.
    """
    url = settings.mongodb_url or mongodb_url(settings.callboard_data_dir)
    if not await mongodb_answers(url):
        raise StartFailed("the database does not answer: start `callboard up` first, or set MONGODB_URL")
    async with connect(settings.model_copy(update={"mongodb_url": url})) as client:
        try:
            await Repositories.over(database(client, settings)).users.make_admin(email, datetime.now(UTC))
        except NotFound as missing:
            raise StartFailed(f"nobody has signed up as {email}") from missing
