"""Members on the real database: who may make what of whom, and that an owner stays."""

import asyncio
from typing import Any

import pytest

from models.document import new_id
from models.errors import Conflict, Forbidden, NotFound, Unauthenticated
from models.user import OrganizationRole, User
from services.principal import Principal
from services.users import MemberChange
from tests.documents import NOW, a_user
from tests.services.conftest import House

pytestmark = pytest.mark.integration

DEMOTION = MemberChange(organization_role="viewer")


async def a_member(house: House, role: OrganizationRole, **fields: Any) -> User:
    user = a_user(house.principal.organization_id, organization_role=role, **fields)
    return await house.stores.users.insert(user)


def acting(user: User) -> Principal:
    return Principal(user.id, user.organization_id, user.organization_role)


async def owners(house: House) -> int:
    found = await house.stores.users.listed(house.principal.organization_id, page=1, limit=99)
    return sum(user.organization_role == "owner" and user.is_active for user in found.items)


async def test_a_member_is_made_changed_and_removed(house: House) -> None:
    users, owner = house.services.users, acting(await a_member(house, "owner"))
    email = a_user(new_id()).email
    made = await users.create(owner, email=email.upper(), password="correct horse", name="Jane", role="agent", now=NOW)
    assert (made.email, made.organization_role, made.created_by) == (email, "agent", owner.user_id)
    _, tokens = await house.services.auth.login(email=email, password="correct horse", now=NOW)
    _, key = await house.services.keys.create(acting(made), name="k", scope="read", rate_limit=None, now=NOW)
    changed = await users.update(owner, made.id, MemberChange(name="Jane Roe", organization_role="manager"), NOW)
    assert (changed.name, changed.organization_role, changed.modified_by) == ("Jane Roe", "manager", owner.user_id)
    assert (await house.services.auth.authenticate(tokens.access, NOW)).role == "manager"
    assert await users.update(owner, made.id, MemberChange(), NOW) == changed
    await users.delete(owner, made.id, NOW)
    for secret in (tokens.access, key):
        with pytest.raises(Unauthenticated):
            await house.services.auth.authenticate(secret, NOW)
    with pytest.raises(NotFound):
        await users.delete(owner, made.id, NOW)
    again = await users.create(owner, email=email, password="correct horse", name="", role="agent", now=NOW)
    assert again.id != made.id
    log = (await house.stores.audit.search(owner.organization_id, subject_id=made.id, page=1, limit=9)).items
    assert [record.action for record in log[::-1]] == ["user.create", "user.update", "user.delete"]
    assert log[1].details == {"fields": ["name", "organizationRole"], "from": "agent", "to": "manager"}


async def test_an_address_belongs_to_one_user_of_all_organizations(house: House) -> None:
    owner, stranger = acting(await a_member(house, "owner")), await house.tenant()
    email = a_user(new_id()).email
    wanted: dict[str, Any] = {"email": email, "password": "correct horse", "name": "", "role": "viewer", "now": NOW}
    await house.services.users.create(owner, **wanted)
    with pytest.raises(Conflict):
        await house.services.users.create(stranger, **wanted)


async def test_a_disabled_member_is_out_until_enabled_and_has_to_log_in_again(house: House) -> None:
    users, auth, owner = house.services.users, house.services.auth, acting(await a_member(house, "owner"))
    email = a_user(new_id()).email
    made = await users.create(owner, email=email, password="correct horse", name="", role="agent", now=NOW)
    _, tokens = await auth.login(email=email, password="correct horse", now=NOW)
    _, key = await house.services.keys.create(acting(made), name="k", scope="read", rate_limit=None, now=NOW)
    await users.update(owner, made.id, MemberChange(is_active=False), NOW)
    for secret in (tokens.access, key):
        with pytest.raises(Unauthenticated):
            await auth.authenticate(secret, NOW)
    with pytest.raises(Unauthenticated):
        await auth.refresh(tokens.refresh, NOW)
    await users.update(owner, made.id, MemberChange(is_active=True), NOW)
    with pytest.raises(Unauthenticated):
        await auth.authenticate(tokens.access, NOW)
    assert (await auth.authenticate(key, NOW)).user_id == made.id


@pytest.mark.parametrize(
    ("actor", "target", "change"),
    [
        ("admin", "owner", DEMOTION),
        ("admin", "owner", MemberChange(is_active=False)),
        ("admin", "owner", MemberChange(name="x")),
        ("admin", "viewer", MemberChange(organization_role="owner")),
        ("manager", "viewer", MemberChange(organization_role="admin")),
        ("manager", "admin", DEMOTION),
    ],
)
async def test_roles_above_ones_own_are_out_of_reach(
    house: House, actor: OrganizationRole, target: OrganizationRole, change: MemberChange
) -> None:
    actor_, target_ = await a_member(house, actor), await a_member(house, target)
    with pytest.raises(Forbidden):
        await house.services.users.update(acting(actor_), target_.id, change, NOW)
    assert await house.stores.users.by_id(target_.id) == target_


async def test_nobody_raises_themselves_removes_or_makes_somebody_above_them(house: House) -> None:
    users, admin, owner = house.services.users, await a_member(house, "admin"), await a_member(house, "owner")
    for refused in (
        users.update(acting(admin), admin.id, MemberChange(organization_role="owner"), NOW),
        users.delete(acting(admin), owner.id, NOW),
        users.create(acting(admin), email="a@example.com", password="correct horse", name="", role="owner", now=NOW),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_the_last_owner_stays_one(house: House) -> None:
    users, owner = house.services.users, await a_member(house, "owner")
    await a_member(house, "owner", is_active=False)
    for refused in (
        users.update(acting(owner), owner.id, DEMOTION, NOW),
        users.update(acting(owner), owner.id, MemberChange(is_active=False), NOW),
        users.delete(acting(owner), owner.id, NOW),
    ):
        with pytest.raises(Conflict, match="owner"):
            await refused
    assert await house.stores.users.by_id(owner.id) == owner
    await users.update(acting(owner), owner.id, MemberChange(name="Still here"), NOW)
    other = await a_member(house, "owner")
    await users.update(acting(owner), owner.id, DEMOTION, NOW)
    with pytest.raises(Conflict):
        await users.delete(acting(other), other.id, NOW)


@pytest.mark.parametrize("count", [2, 3, 5])
async def test_owners_who_all_demote_each_other_at_once_leave_one(house: House, count: int) -> None:
    for _ in range(8):
        house.principal = await house.tenant()
        ring = [await a_member(house, "owner") for _ in range(count)]
        attempts = [
            house.services.users.update(acting(actor), target.id, DEMOTION, NOW)
            for actor in ring
            for target in ring
            if actor is not target
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert all(isinstance(outcome, User | Conflict) for outcome in outcomes)
        assert await owners(house) >= 1


async def test_an_attempt_that_was_cut_short_leaves_the_owner_as_they_were(house: House) -> None:
    users, first, second = house.services.users, await a_member(house, "owner"), await a_member(house, "owner")
    await house.stores.users.retire(first.organization_id, first.id, new_id())
    with pytest.raises(Conflict):
        await users.delete(acting(first), second.id, NOW)
    await users.update(acting(second), first.id, MemberChange(organization_role="owner"), NOW)
    await users.delete(acting(first), second.id, NOW)
    assert await owners(house) == 1


@pytest.mark.parametrize("meanwhile", [{"organizationRole": "owner"}, {"isActive": False}])
async def test_a_member_who_changed_since_they_were_looked_at_is_left_alone(
    house: House, meanwhile: dict[str, Any]
) -> None:
    users, seen = house.stores.users, await a_member(house, "agent")
    await users.change(seen.organization_id, seen.id, meanwhile, NOW)
    assert await users.change_if_same(seen, {"name": "x"}, NOW, new_id(), attempt=None) is None


async def test_other_organizations_members_do_not_exist(house: House) -> None:
    target, stranger = await a_member(house, "viewer"), await house.tenant()
    for refused in (
        house.services.users.update(stranger, target.id, DEMOTION, NOW),
        house.services.users.delete(stranger, target.id, NOW),
    ):
        with pytest.raises(NotFound):
            await refused
    assert (await house.services.users.page(stranger, page=1, limit=9)).total == 0
