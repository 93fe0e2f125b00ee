"""`callboard admin` on the database of the session."""

from pathlib import Path

import pytest

from cli.admin import make_admin
from cli.background import background
from cli.embedded.mongodb import mongodb_child
from cli.errors import StartFailed
from models.document import new_id
from models.settings import Settings
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import a_user

pytestmark = pytest.mark.integration


async def test_an_existing_user_becomes_an_administrator(settings: Settings) -> None:
    async with connect(settings) as client:
        users = Repositories.over(database(client, settings)).users
        user = await users.insert(a_user(new_id()))
        await make_admin(settings, user.email.upper())
        found = await users.by_id(user.id)
    assert found is not None
    assert (found.role, found.organization_role) == ("admin", "owner")


async def test_nobody_becomes_one_by_mistake(settings: Settings) -> None:
    with pytest.raises(StartFailed, match="nobody"):
        await make_admin(settings, "nobody@example.com")


async def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="callboard up"):
        await make_admin(Settings(_env_file=None, callboard_data_dir=tmp_path), "ada@example.com")


async def test_the_embedded_database_of_the_data_directory_is_found(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, callboard_data_dir=tmp_path, mongodb_url=None)
    with background(tmp_path / "logs") as running:
        running.start(mongodb_child(tmp_path))
        with pytest.raises(StartFailed, match="nobody"):
            await make_admin(settings, "nobody@example.com")
