"""The do-not-call lists against the real database."""

from typing import Any

import pytest

from models.contact import DncEntry
from models.document import Id, new_id
from models.errors import Conflict, NotFound
from stores.repositories import Repositories
from tests.documents import DATES, NOW

pytestmark = pytest.mark.integration


def an_entry(owner: Id | None, number: str, **fields: Any) -> DncEntry:
    return DncEntry(organization_id=owner, number=number, **(DATES | fields))


def a_number() -> str:
    """One that no other test has: the installation's list is everybody's."""
    return f"+91{int(new_id()[-9:], 16) % 10**10:010d}"


async def test_a_number_is_blocked_by_the_own_list_and_the_installations(stores: Repositories) -> None:
    mine, theirs = new_id(), new_id()
    own, everybodys, free = a_number(), a_number(), a_number()
    await stores.dnc.insert(an_entry(mine, own))
    await stores.dnc.insert(an_entry(None, everybodys))
    numbers = [own, everybodys, free]
    assert await stores.dnc.blocked(mine, numbers) == {own, everybodys}
    assert await stores.dnc.blocked(theirs, numbers) == {everybodys}
    assert await stores.dnc.blocked(mine, []) == set()


async def test_a_number_is_on_a_list_once_and_may_come_back(stores: Repositories, organization_id: Id) -> None:
    for owner in (organization_id, None):
        number = a_number()
        entry = await stores.dnc.insert(an_entry(owner, number))
        with pytest.raises(Conflict):
            await stores.dnc.insert(an_entry(owner, number))
        await stores.dnc.remove(owner, entry.id, NOW, new_id())
        assert await stores.dnc.blocked(organization_id, [number]) == set()
        with pytest.raises(NotFound):
            await stores.dnc.remove(owner, entry.id, NOW, new_id())
        await stores.dnc.insert(an_entry(owner, number))
        assert await stores.dnc.blocked(organization_id, [number]) == {number}


async def test_many_are_added_and_those_there_counted(stores: Repositories, organization_id: Id) -> None:
    numbers = [a_number() for _ in range(4)]
    assert await stores.dnc.add_many([an_entry(organization_id, number) for number in numbers[:2]]) == 2
    assert await stores.dnc.add_many([an_entry(organization_id, number) for number in numbers]) == 2
    assert await stores.dnc.add_many([]) == 0
    assert await stores.dnc.blocked(organization_id, numbers) == set(numbers)


async def test_a_list_shows_its_own(stores: Repositories, organization_id: Id) -> None:
    mine, everybodys = a_number(), a_number()
    await stores.dnc.insert(an_entry(organization_id, mine))
    entry = await stores.dnc.insert(an_entry(None, everybodys))
    assert [each.number for each in (await stores.dnc.listed(organization_id, None, page=1, limit=9)).items] == [mine]
    assert (await stores.dnc.listed(organization_id, everybodys, page=1, limit=9)).total == 0
    assert (await stores.dnc.listed(None, everybodys, page=1, limit=9)).items == [entry]
    with pytest.raises(NotFound):
        await stores.dnc.remove(organization_id, entry.id, NOW, new_id())
