"""Things with versions against the real database."""

import asyncio
from datetime import timedelta

import pytest

from models.document import Id, new_id
from models.errors import NotFound
from models.versioned import Head, Prompt, Version
from stores.repositories import Repositories
from stores.versioned import Entry
from tests.documents import NOW

pytestmark = pytest.mark.integration


def a_version(organization_id: Id, root_id: Id, number: int = 1, name: str = "Reminder") -> Version[Prompt]:
    return Version[Prompt](
        created_at=NOW + timedelta(minutes=number),
        updated_at=NOW + timedelta(minutes=number),
        organization_id=organization_id,
        root_id=root_id,
        version=number,
        name=name,
        body=Prompt(content=f"Remind them, way {number}."),
    )


async def a_prompt(stores: Repositories, organization_id: Id, name: str = "Reminder") -> Entry[Prompt]:
    version = a_version(organization_id, new_id(), name=name)
    head = Head(
        id=version.root_id,
        created_at=NOW,
        updated_at=NOW,
        organization_id=organization_id,
        name=name,
        active_id=version.id,
        latest=1,
    )
    entry = Entry(head, version)
    await stores.prompts.insert(entry)
    return entry


async def test_a_thing_and_its_versions_are_found_by_their_ids(stores: Repositories, organization_id: Id) -> None:
    first = await a_prompt(stores, organization_id)
    second = await stores.prompts.add(first.head, a_version(organization_id, first.head.id), activate=True)
    assert (second.version.version, second.is_active) == (2, True)
    assert await stores.prompts.find(organization_id, first.head.id) == second
    old = await stores.prompts.find(organization_id, first.version.id)
    assert (old.version, old.is_active) == (first.version, False)
    assert await stores.prompts.ids(second.head) == {first.head.id, first.version.id, second.version.id}
    for any_id in (first.head.id, first.version.id, new_id(), "x", "\0"):
        with pytest.raises(NotFound, match="Prompt not found"):
            await stores.prompts.find(new_id(), any_id)


async def test_a_version_that_is_not_to_be_active_waits(stores: Repositories, organization_id: Id) -> None:
    first = await a_prompt(stores, organization_id)
    second = await stores.prompts.add(
        first.head, a_version(organization_id, first.head.id, name="Draft"), activate=False
    )
    assert (second.is_active, second.head.name) == (False, "Reminder")
    assert (await stores.prompts.find(organization_id, first.head.id)).version == first.version
    assert (await stores.prompts.newest(organization_id, first.version.id)).version == second.version
    activated = await stores.prompts.activate(second, NOW, new_id())
    assert (activated.is_active, activated.head.name) == (True, "Draft")


async def test_versions_added_at_once_are_numbered_one_by_one(stores: Repositories, organization_id: Id) -> None:
    first = await a_prompt(stores, organization_id)
    added = await asyncio.gather(
        *(stores.prompts.add(first.head, a_version(organization_id, first.head.id), activate=True) for _ in range(6))
    )
    assert sorted(entry.version.version for entry in added) == [2, 3, 4, 5, 6, 7]
    history = await stores.prompts.history(organization_id, first.head.id, page=1, limit=10)
    assert [entry.version.version for entry in history.items] == [7, 6, 5, 4, 3, 2, 1]
    assert [entry.is_active for entry in history.items] == [True] + [False] * 6


async def test_an_overtaken_version_does_not_become_active(stores: Repositories, organization_id: Id) -> None:
    first = await a_prompt(stores, organization_id)
    third = a_version(organization_id, first.head.id, 3)
    await stores.prompts._versions.insert(third)
    late = a_version(organization_id, first.head.id, 2)
    await stores.prompts._heads.advance(third, activate=True)
    head = await stores.prompts._heads.advance(late, activate=True)
    assert (head.active_id, head.latest) == (third.id, 3)


async def test_lists_show_active_versions_by_name_newest_first(stores: Repositories, organization_id: Id) -> None:
    for name in ("Reminder (north)", "reminder (south)", "Survey"):
        entry = await a_prompt(stores, organization_id, name)
        await stores.prompts.add(entry.head, a_version(organization_id, entry.head.id, name=name), activate=True)
    await a_prompt(stores, new_id())
    found = await stores.prompts.search(organization_id, "REMINDER (", page=1, limit=10)
    assert found.total == 2
    assert [entry.version.name for entry in found.items] == ["reminder (south)", "Reminder (north)"]
    assert all(entry.is_active and entry.version.version == 2 for entry in found.items)
    page = await stores.prompts.search(organization_id, None, page=2, limit=2)
    assert ([entry.version.name for entry in page.items], page.total) == (["Reminder (north)"], 3)


async def test_what_is_deleted_is_gone_with_its_versions(stores: Repositories, organization_id: Id) -> None:
    entry = await a_prompt(stores, organization_id)
    await stores.prompts.delete(entry.head, NOW, new_id())
    for any_id in (entry.head.id, entry.version.id):
        with pytest.raises(NotFound):
            await stores.prompts.find(organization_id, any_id)
        with pytest.raises(NotFound):
            await stores.prompts.history(organization_id, any_id, page=1, limit=10)
    with pytest.raises(NotFound):
        await stores.prompts.add(entry.head, a_version(organization_id, entry.head.id), activate=True)
    assert (await stores.prompts.search(organization_id, None, page=1, limit=10)).items == []
    assert await stores.prompts.missing(organization_id, [entry.head.id]) == set()


async def test_a_version_whose_head_was_never_written_does_not_exist(stores: Repositories, organization_id: Id) -> None:
    orphan = a_version(organization_id, new_id())
    await stores.prompts._versions.insert(orphan)
    with pytest.raises(NotFound):
        await stores.prompts.find(organization_id, orphan.id)
