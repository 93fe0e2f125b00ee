"""Accounts against the real database."""

import asyncio

import pytest

from models.document import new_id
from models.errors import Conflict, Invalid, Unauthenticated
from models.session import Session
from models.settings import Settings
from services.api_keys import ApiKeyService
from services.auth import AuthService
from services.passwords import Passwords
from services.permissions import permissions_of
from services.principal import Principal
from stores.secrets import Secrets
from tests.documents import NOW, a_user
from tests.money import a_writer
from tests.services.conftest import House

pytestmark = pytest.mark.integration

PASSWORD = "SecurePassword123!"


def an_address() -> str:
    return a_user(new_id()).email


def rebuilt(house: House, settings: Settings) -> AuthService:
    """The house's accounts under other settings."""
    stores, audit = house.stores, house.services.audit
    return AuthService(
        settings,
        stores,
        secrets=Secrets(settings.encryption_key),
        passwords=Passwords(),
        keys=ApiKeyService(stores, audit, highest_limit=1000),
        credit=a_writer(stores),
        audit=audit,
    )


async def test_somebody_signs_up_logs_in_and_is_known(house: House) -> None:
    auth, email = house.services.auth, an_address()
    account, tokens = await auth.signup(email=email.upper(), password=PASSWORD, name="John", now=NOW)
    assert account.user.email == email
    assert PASSWORD not in account.user.model_dump_json()
    again, _ = await auth.login(email=email.title(), password=PASSWORD, now=NOW)
    assert again.user.id == account.user.id
    principal = await auth.authenticate(tokens.access, NOW)
    assert principal.organization_id == account.user.organization_id
    assert (await auth.me(principal)).user.name == "John"
    assert await auth.authenticate((await auth.refresh(tokens.refresh, NOW)).access, NOW) == principal
    with pytest.raises(Unauthenticated):
        await auth.refresh(tokens.access, NOW)


async def test_an_address_signs_up_once(house: House) -> None:
    email = an_address()
    signups = (house.services.auth.signup(email=email, password=PASSWORD, name="", now=NOW) for _ in range(4))
    results = await asyncio.gather(*signups, return_exceptions=True)
    assert [isinstance(result, Conflict) for result in results].count(True) == 3


async def test_a_wrong_password_and_a_wrong_address_look_alike(house: House) -> None:
    email = an_address()
    await house.services.auth.signup(email=email, password=PASSWORD, name="", now=NOW)
    messages = set()
    for address, password in ((email, "wrong password"), (an_address(), PASSWORD)):
        with pytest.raises(Unauthenticated) as caught:
            await house.services.auth.login(email=address, password=password, now=NOW)
        messages.add(caught.value.message)
    assert len(messages) == 1


async def test_a_token_of_somebody_gone_is_refused(house: House) -> None:
    with pytest.raises(Unauthenticated):
        await house.services.auth.me(Principal(new_id(), new_id(), "owner"))


async def test_hashing_leaves_the_loop_to_others(house: House) -> None:
    logins = [
        asyncio.create_task(house.services.auth.login(email=an_address(), password=PASSWORD, now=NOW)) for _ in range(4)
    ]
    turns = 0
    while not all(login.done() for login in logins):
        await asyncio.sleep(0.001)
        turns += 1
    results = await asyncio.gather(*logins, return_exceptions=True)
    assert all(isinstance(result, Unauthenticated) for result in results)
    # Hashing on the loop would leave it a turn or two for each login.
    assert turns > 5 * len(logins)


async def test_a_signup_makes_an_owner_who_does_not_run_the_installation(house: House) -> None:
    account, tokens = await house.services.auth.signup(email=an_address(), password=PASSWORD, name="", now=NOW)
    assert (account.user.role, account.user.organization_role, account.available_micros) == ("user", "owner", 0)
    principal = await house.services.auth.authenticate(tokens.access, NOW)
    assert principal.permissions == permissions_of("owner")
    await house.stores.users.make_admin(account.user.email, NOW)
    principal = await house.services.auth.authenticate(tokens.access, NOW)
    assert "credits:write" in principal.permissions


async def test_a_signup_credit_is_given_once_and_to_nobody_who_has_an_account(house: House) -> None:
    generous = house.settings.model_copy(update={"signup_credits_micros": 5_000_000})
    auth, email = rebuilt(house, generous), an_address()
    account, _ = await auth.signup(email=email, password=PASSWORD, name="", now=NOW)
    assert account.available_micros == 5_000_000
    with pytest.raises(Conflict):
        await auth.signup(email=email, password=PASSWORD, name="", now=NOW)
    assert (await auth.login(email=email, password=PASSWORD, now=NOW))[0].available_micros == 5_000_000


async def test_logging_out_ends_one_login_and_everywhere_ends_all(house: House) -> None:
    auth, email = house.services.auth, an_address()
    _, first = await auth.signup(email=email, password=PASSWORD, name="", now=NOW)
    others = [(await auth.login(email=email, password=PASSWORD, now=NOW))[1] for _ in range(2)]
    await auth.logout(await auth.authenticate(first.access, NOW), everywhere=False, now=NOW)
    for refused in (auth.authenticate(first.access, NOW), auth.refresh(first.refresh, NOW)):
        with pytest.raises(Unauthenticated):
            await refused
    principal = await auth.authenticate(others[0].access, NOW)
    await auth.logout(principal, everywhere=True, now=NOW)
    for tokens in others:
        with pytest.raises(Unauthenticated):
            await auth.authenticate(tokens.access, NOW)
    [record] = (await house.stores.audit.search(principal.organization_id, page=1, limit=9)).items
    assert (record.action, record.subject_id) == ("user.logout-everywhere", principal.user_id)


async def test_a_new_password_ends_the_other_logins_and_counts(house: House) -> None:
    auth, email, new = house.services.auth, an_address(), "EvenBetter456?"
    _, here = await auth.signup(email=email, password=PASSWORD, name="", now=NOW)
    _, elsewhere = await auth.login(email=email, password=PASSWORD, now=NOW)
    principal = await auth.authenticate(here.access, NOW)
    with pytest.raises(Invalid) as caught:
        await auth.change_password(principal, current="wrong", new=new, now=NOW)
    assert [refused.field for refused in caught.value.fields] == ["currentPassword"]
    await auth.change_password(principal, current=PASSWORD, new=new, now=NOW)
    assert await auth.authenticate(here.access, NOW)
    with pytest.raises(Unauthenticated):
        await auth.authenticate(elsewhere.access, NOW)
    with pytest.raises(Unauthenticated):
        await auth.login(email=email, password=PASSWORD, now=NOW)
    assert await auth.login(email=email, password=new, now=NOW)


async def test_no_login_with_the_old_password_outlives_its_change(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password changes after it was found right and before the login's session is stored."""
    auth, email = house.services.auth, an_address()
    _, here = await auth.signup(email=email, password=PASSWORD, name="", now=NOW)
    principal = await auth.authenticate(here.access, NOW)
    sessions = house.services.auth._stores.sessions
    real = sessions.insert

    async def late(session: Session) -> Session:
        await auth.change_password(principal, current=PASSWORD, new="EvenBetter456?", now=NOW)
        return await real(session)

    monkeypatch.setattr(sessions, "insert", late)
    with pytest.raises(Unauthenticated):
        await auth.login(email=email, password=PASSWORD, now=NOW)
    stored = await sessions._many({"userId": principal.user_id, "revokedAt": None}, sort=[("_id", 1)], limit=9)
    assert [session.id for session in stored] == [principal.session_id]


async def test_a_disabled_user_looks_like_a_wrong_password(house: House) -> None:
    auth = house.services.auth
    account, _ = await auth.signup(email=an_address(), password=PASSWORD, name="", now=NOW)
    await house.stores.users.change(account.user.organization_id, account.user.id, {"isActive": False}, NOW)
    with pytest.raises(Unauthenticated, match="Invalid credentials"):
        await auth.login(email=account.user.email, password=PASSWORD, now=NOW)
