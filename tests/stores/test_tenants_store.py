"""Users, agents and phones against the real database."""

import asyncio
from datetime import timedelta

import pytest

from models.document import Id, new_id
from models.errors import Conflict, NotFound
from stores.repositories import Repositories
from tests.documents import NOW, a_phone, a_user, an_agent

pytestmark = pytest.mark.integration


async def test_one_of_twenty_signups_gets_an_address(stores: Repositories, organization_id: Id) -> None:
    user = a_user(organization_id)
    inserts = (stores.users.insert(a_user(new_id(), email=user.email)) for _ in range(20))
    results = await asyncio.gather(*inserts, return_exceptions=True)
    assert [isinstance(result, Conflict) for result in results].count(True) == 19
    assert await stores.users.by_email(user.email.upper()) is not None


async def test_one_of_twenty_imports_gets_a_number(stores: Repositories, organization_id: Id) -> None:
    phone = a_phone(organization_id)
    inserts = (stores.phones.insert(a_phone(new_id(), number=phone.number)) for _ in range(20))
    results = await asyncio.gather(*inserts, return_exceptions=True)
    assert [isinstance(result, Conflict) for result in results].count(True) == 19
    with pytest.raises(NotFound):
        await stores.phones.by_number(organization_id, phone.number)


async def test_a_search_is_plain_text_in_any_case(stores: Repositories, organization_id: Id) -> None:
    names = ["Sales (north)", "sales (south)", "Support.*", "Support"]
    for minute, name in enumerate(names):
        await stores.agents.insert(an_agent(organization_id, name=name, created_at=NOW + timedelta(minutes=minute)))

    async def found(text: str | None) -> list[str]:
        return [agent.name for agent in (await stores.agents.search(organization_id, text, page=1, limit=9)).items]

    assert await found("SALES (") == ["sales (south)", "Sales (north)"]
    assert await found(".*") == ["Support.*"]
    assert await found(None) == await found("") == await found("\0") == names[::-1]
    assert (await stores.agents.search(new_id(), "Sales", page=1, limit=9)).total == 0


async def test_updates_of_different_fields_do_not_undo_each_other(stores: Repositories, organization_id: Id) -> None:
    agent = await stores.agents.insert(an_agent(organization_id))
    changes = ({"config.prompt": "A different prompt."}, {"config.llm.temperature": 0.1}, {"name": "Other"})
    await asyncio.gather(*(stores.agents.change(organization_id, agent.id, change, NOW) for change in changes))
    stored = await stores.agents.get(organization_id, agent.id)
    assert (stored.name, stored.config.prompt, stored.config.llm.temperature) == ("Other", "A different prompt.", 0.1)
    with pytest.raises(NotFound):
        await stores.agents.change(new_id(), agent.id, {"name": "Theirs"}, NOW)


async def test_a_removed_agent_answers_no_phone_of_its_organization(stores: Repositories, organization_id: Id) -> None:
    agent_id = new_id()
    phone = await stores.phones.insert(a_phone(organization_id, agent_id=agent_id))
    await stores.phones.forget_agent(new_id(), agent_id, NOW)
    assert (await stores.phones.by_id(phone.id)).agent_id == agent_id
    await stores.phones.forget_agent(organization_id, agent_id, NOW)
    assert (await stores.phones.by_id(phone.id)).agent_id is None


async def test_creating_indexes_again_and_at_once_is_harmless(stores: Repositories) -> None:
    await asyncio.gather(*(stores.create_indexes() for _ in range(4)))
