"""Accounts against the real database."""

import asyncio

import pytest

from models.document import new_id
from models.errors import Conflict, Unauthenticated
from services.principal import Principal
from tests.documents import NOW, a_user
from tests.services.conftest import House

pytestmark = pytest.mark.integration

PASSWORD = "SecurePassword123!"


def an_address() -> str:
    return a_user(new_id()).email


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
    assert await auth.authenticate(await auth.refresh(tokens.refresh, NOW), NOW) == principal
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
