"""Repositories over the real database of the session."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from models.document import Id, new_id
from models.organization import Organization
from models.settings import Settings
from stores.mongo import connect, database
from stores.repositories import Repositories

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Repositories]:
    """Every repository, with its indexes."""
    async with connect(settings) as client:
        repositories = Repositories.over(database(client, settings))
        await repositories.create_indexes()
        yield repositories


@pytest.fixture
async def organization_id(stores: Repositories) -> Id:
    """An organization of this test alone."""
    organization = Organization(id=new_id(), created_at=NOW, updated_at=NOW)
    return (await stores.organizations.insert(organization)).id
