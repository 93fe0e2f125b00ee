"""API keys on the real database."""

import asyncio
from datetime import timedelta

import pytest

from models.api_key import ApiKey, Scope
from models.document import new_id
from models.errors import Forbidden, Invalid, NotFound, Unauthenticated
from models.user import OrganizationRole, User
from services.api_keys import digest
from services.permissions import permissions_of
from services.principal import Principal, Source
from tests.documents import NOW, a_user
from tests.services.conftest import House

pytestmark = pytest.mark.integration


async def a_user_with_key(
    house: House, role: OrganizationRole = "owner", scope: Scope = "admin"
) -> tuple[User, ApiKey, str]:
    user = await house.stores.users.insert(a_user(house.principal.organization_id, organization_role=role))
    principal = Principal(user.id, user.organization_id, role, permissions_of(role))
    return user, *await house.services.keys.create(principal, name="CRM", scope=scope, rate_limit=7, now=NOW)


async def test_a_key_acts_as_its_maker_as_far_as_its_scope_goes(house: House) -> None:
    user, key, secret = await a_user_with_key(house, scope="write")
    source = Source("192.0.2.1", "curl")
    principal = await house.services.auth.authenticate(secret, NOW, source)
    assert principal == Principal(
        user_id=user.id,
        organization_id=user.organization_id,
        role="owner",
        permissions=permissions_of("owner", scope="write"),
        key_id=key.id,
        limit=7,
        source=source,
    )
    await house.stores.users.change(user.organization_id, user.id, {"organizationRole": "viewer"}, NOW)
    assert (await house.services.auth.authenticate(secret, NOW)).permissions == permissions_of("viewer")


async def test_the_key_is_not_stored(house: House) -> None:
    _, key, secret = await a_user_with_key(house)
    assert (key.prefix, key.digest) == (secret[:10], digest(secret))
    row = await house.stores.api_keys._rows.find_one({"_id": key.id})
    assert secret[10:] not in str(row)
    assert len(secret) == len("cb_") + 43


@pytest.mark.parametrize("secret", ["cb_", "cb_nothing", "cb_\ud800", "cb_" + "x" * 5000])
async def test_what_is_no_key_opens_nothing(house: House, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        await house.services.auth.authenticate(secret, NOW)


async def test_a_revoked_key_and_one_whose_maker_is_gone_open_nothing(house: House) -> None:
    user, key, secret = await a_user_with_key(house)
    await house.services.keys.revoke(house.principal, key.id, NOW)
    with pytest.raises(NotFound):
        await house.services.keys.revoke(house.principal, key.id, NOW)
    other, _, orphan = await a_user_with_key(house)
    await house.stores.users.delete(other.organization_id, other.id, NOW)
    for lost in (secret, orphan):
        with pytest.raises(Unauthenticated):
            await house.services.auth.authenticate(lost, NOW)
    log = (await house.stores.audit.search(user.organization_id, subject_id=key.id, page=1, limit=9)).items
    assert [record.action for record in log[::-1]] == ["api-key.create", "api-key.revoke"]
    assert secret not in str(log)


async def test_a_key_makes_no_key_beyond_itself(house: House) -> None:
    _, _, wide = await a_user_with_key(house, scope="admin")
    _, _, narrow = await a_user_with_key(house, scope="write")
    keys, auth = house.services.keys, house.services.auth
    for scope in ("read", "write", "admin"):
        await keys.create(await auth.authenticate(wide, NOW), name="k", scope=scope, rate_limit=None, now=NOW)
    await keys.create(await auth.authenticate(narrow, NOW), name="k", scope="write", rate_limit=None, now=NOW)
    with pytest.raises(Forbidden):
        await keys.create(await auth.authenticate(narrow, NOW), name="k", scope="admin", rate_limit=None, now=NOW)


async def test_a_keys_own_limit_has_a_ceiling(house: House) -> None:
    highest = house.settings.limit_api_per_key
    await house.services.keys.create(house.principal, name="k", scope="read", rate_limit=highest, now=NOW)
    with pytest.raises(Invalid) as refused:
        await house.services.keys.create(house.principal, name="k", scope="read", rate_limit=highest + 1, now=NOW)
    assert refused.value.fields[0].field == "rateLimit"


async def test_a_key_neither_logs_out_nor_changes_the_password(house: House) -> None:
    _, _, secret = await a_user_with_key(house)
    auth = house.services.auth
    principal = await auth.authenticate(secret, NOW)
    for refused in (
        auth.logout(principal, everywhere=True, now=NOW),
        auth.change_password(principal, current="x", new="a new password", now=NOW),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_when_a_key_was_used_is_kept_to_the_minute(house: House) -> None:
    user, key, secret = await a_user_with_key(house)
    keys = house.stores.api_keys

    async def last_use() -> object:
        return (await keys.get(user.organization_id, key.id)).last_used_at

    for moment, kept in ((0, 0), (59, 0), (60, 60), (61, 60), (400, 400)):
        now = NOW + timedelta(seconds=moment)
        await asyncio.gather(*(house.services.auth.authenticate(secret, now) for _ in range(5)))
        assert await last_use() == NOW + timedelta(seconds=kept)
    await keys.note_use(key, NOW + timedelta(seconds=410))
    assert await last_use() == NOW + timedelta(seconds=400)


async def test_keys_are_listed_and_revoked_within_their_organization(house: House) -> None:
    _, key, _ = await a_user_with_key(house)
    stranger = await house.tenant()
    assert [found.id for found in (await house.services.keys.page(house.principal, page=1, limit=9)).items] == [key.id]
    assert (await house.services.keys.page(stranger, page=1, limit=9)).items == []
    with pytest.raises(NotFound):
        await house.services.keys.revoke(stranger, key.id, NOW)
    with pytest.raises(NotFound):
        await house.services.keys.revoke(stranger, new_id(), NOW)
