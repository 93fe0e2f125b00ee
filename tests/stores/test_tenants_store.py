"""Users, agents and phones against the real database."""

import asyncio
from datetime import timedelta

import pytest

from models.document import Id, new_id
from models.errors import Conflict, InvalidTransition, NotFound
from models.settings import Settings
from stores.mongo import connect
from stores.repositories import Repositories
from tests.documents import NOW, a_call, a_phone, a_user, an_agent
from tests.lost_answers import lose_one

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


async def test_what_is_deleted_is_gone_for_every_query_and_kept(stores: Repositories, organization_id: Id) -> None:
    phone, user_id, later = await stores.phones.insert(a_phone(organization_id)), new_id(), NOW + timedelta(hours=1)
    with pytest.raises(NotFound):
        await stores.phones.delete(new_id(), phone.id, later)
    attempts = (stores.phones.delete(organization_id, phone.id, later, user_id) for _ in range(10))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [isinstance(result, NotFound) for result in results].count(True) == 9
    for gone in (
        stores.phones.get(organization_id, phone.id),
        stores.phones.by_id(phone.id),
        stores.phones.by_number(organization_id, phone.number),
        stores.phones.change(organization_id, phone.id, {"tags": ["x"]}, NOW),
    ):
        with pytest.raises(NotFound):
            await gone
    assert (await stores.phones.search(organization_id, None, page=1, limit=9)).total == 0
    assert await stores.phones.newest(organization_id) is None
    row = await stores.phones._rows.find_one({"_id": phone.id})
    assert row == {**phone.to_mongo(), "isDeleted": True, "updatedAt": later, "modifiedBy": user_id}


async def test_a_deletion_that_arrived_before_its_connection_broke_is_one(
    stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await stores.phones.insert(a_phone(organization_id))
    arrived = lose_one(stores.phones, monkeypatch)
    await stores.phones.delete(organization_id, phone.id, NOW + timedelta(hours=1), new_id())
    assert len(arrived) == 2


async def test_a_deleted_number_or_address_is_free_again(stores: Repositories, organization_id: Id) -> None:
    phone, user = a_phone(organization_id), a_user(organization_id)
    other = new_id()
    for _ in range(2):
        await stores.phones.insert(phone)
        await stores.users.insert(user)
        with pytest.raises(Conflict):
            await stores.phones.require_free(phone.number)
        for taken in (
            stores.phones.insert(a_phone(other, number=phone.number)),
            stores.users.insert(a_user(other, email=user.email)),
        ):
            with pytest.raises(Conflict):
                await taken
        await stores.phones.delete(organization_id, phone.id, NOW)
        await stores.users.delete(organization_id, user.id, NOW)
        assert await stores.users.by_email(user.email) is None
        assert await stores.users.by_id(user.id) is None
        await stores.phones.require_free(phone.number)
        phone, user = a_phone(organization_id, number=phone.number), a_user(organization_id, email=user.email)


async def test_logs_are_never_deleted(stores: Repositories, organization_id: Id) -> None:
    call = await stores.calls.insert(a_call(organization_id))
    with pytest.raises(InvalidTransition):
        await stores.calls.delete(organization_id, call.id, NOW)
    assert "isDeleted" not in stores.calls._of(organization_id, {})


async def test_a_database_of_the_version_before_is_taken_over(settings: Settings) -> None:
    async with connect(settings) as client:
        older = client.get_database(f"{settings.mongodb_database}_older")
        await older.phones.create_index("number", unique=True)
        await older.users.create_index("email", unique=True)
        phone = a_phone(new_id())
        await older.phones.insert_one({key: value for key, value in phone.to_mongo().items() if key != "isDeleted"})
        stores = Repositories.over(older)
        await asyncio.gather(*(stores.create_indexes() for _ in range(3)))
        assert (await stores.phones.by_id(phone.id)).number == phone.number
        with pytest.raises(Conflict):
            await stores.phones.insert(a_phone(new_id(), number=phone.number))
        await stores.phones.delete(phone.organization_id, phone.id, NOW)
        await stores.phones.insert(a_phone(new_id(), number=phone.number))
        assert not {"number_1", "email_1"} & {
            *await older.phones.index_information(),
            *await older.users.index_information(),
        }
        await client.drop_database(older)


@pytest.mark.parametrize(("kind", "where"), [("phones", {"number": "+91"}), ("users", {"email": "a@b.c"})])
async def test_looking_one_up_uses_the_index_of_what_is_present(
    stores: Repositories, kind: str, where: dict[str, str]
) -> None:
    repository = getattr(stores, kind)
    plan = await repository._rows.find(repository._present(where)).explain()
    assert plan["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == f"{next(iter(where))}_present"


async def test_creating_indexes_again_and_at_once_is_harmless(stores: Repositories) -> None:
    await asyncio.gather(*(stores.create_indexes() for _ in range(4)))
