"""Sessions on the real database: rotation, replays, logout, and everything at the same time."""

import asyncio
from datetime import timedelta

import pytest

from models.document import new_id
from models.errors import Unauthenticated
from models.user import User
from services.logins import Logins
from services.sessions import Tokens
from tests.documents import NOW, a_user
from tests.lost_answers import lose_one
from tests.services.conftest import House

pytestmark = pytest.mark.integration


async def a_login(house: House) -> tuple[Logins, User, Tokens]:
    user = await house.stores.users.insert(a_user(new_id()))
    logins = Logins(house.settings, house.stores)
    return logins, user, await logins.begin(user, NOW)


async def is_over(logins: Logins, tokens: Tokens) -> bool:
    outcomes = await asyncio.gather(
        logins.opened(tokens.access, NOW), logins.refresh(tokens.refresh, NOW), return_exceptions=True
    )
    refused = [isinstance(outcome, Unauthenticated) for outcome in outcomes]
    assert refused[0] == refused[1]
    return refused[0]


async def test_a_client_that_ignores_the_new_token_goes_on_with_the_old(house: House) -> None:
    logins, user, tokens = await a_login(house)
    for day in range(0, 30, 7):
        later = NOW + timedelta(days=day)
        renewed = await logins.refresh(tokens.refresh, later)
        assert (await logins.opened(renewed.access, later))[1].id == user.id
    with pytest.raises(Unauthenticated, match="expired"):
        await logins.refresh(tokens.refresh, NOW + timedelta(days=30))


async def test_a_client_that_rotates_is_logged_in_for_as_long_as_it_comes_back(house: House) -> None:
    logins, _, tokens = await a_login(house)
    for week in range(10):
        tokens = await logins.refresh(tokens.refresh, NOW + timedelta(weeks=week))
    assert await logins.opened(tokens.access, NOW + timedelta(weeks=9))


async def test_a_lost_answer_locks_nobody_out(house: House) -> None:
    logins, _, tokens = await a_login(house)
    await logins.refresh(tokens.refresh, NOW)
    renewed = await logins.refresh(tokens.refresh, NOW)
    await logins.refresh(renewed.refresh, NOW)
    assert await logins.refresh(renewed.refresh, NOW)


async def test_a_replayed_token_ends_the_login_for_everybody(house: House) -> None:
    logins, user, tokens = await a_login(house)
    other = await logins.begin(user, NOW)
    renewed = await logins.refresh(tokens.refresh, NOW)
    newest = await logins.refresh(renewed.refresh, NOW)
    assert not await is_over(logins, newest)
    with pytest.raises(Unauthenticated):
        await logins.refresh(tokens.refresh, NOW)
    assert await is_over(logins, newest)
    assert await is_over(logins, renewed)
    assert not await is_over(logins, other)


async def test_a_sibling_of_the_successor_that_was_used_is_a_replay(house: House) -> None:
    logins, _, tokens = await a_login(house)
    stolen, kept = await logins.refresh(tokens.refresh, NOW), await logins.refresh(tokens.refresh, NOW)
    await logins.refresh(stolen.refresh, NOW)
    with pytest.raises(Unauthenticated):
        await logins.refresh(kept.refresh, NOW)
    assert await is_over(logins, stolen)


async def test_of_many_siblings_used_at_once_one_is_first_and_the_rest_end_the_login(house: House) -> None:
    logins, user, tokens = await a_login(house)
    children = [await logins.refresh(tokens.refresh, NOW) for _ in range(12)]
    uses = (logins.refresh(child.refresh, NOW) for child in children)
    outcomes = await asyncio.gather(*uses, return_exceptions=True)
    assert sum(isinstance(outcome, Tokens) for outcome in outcomes) <= 1
    for child in (tokens, *children):
        assert await is_over(logins, child)
    session_id = logins._mint.read(tokens.access, "access", NOW).session_id
    session = await house.stores.sessions.find(user.organization_id, session_id)
    assert session is not None
    assert session.generation == 1


async def test_the_same_successor_used_many_times_at_once_is_one_client_in_a_hurry(house: House) -> None:
    logins, _, tokens = await a_login(house)
    child = await logins.refresh(tokens.refresh, NOW)
    outcomes = await asyncio.gather(*(logins.refresh(child.refresh, NOW) for _ in range(12)))
    assert not await is_over(logins, outcomes[0])
    with pytest.raises(Unauthenticated):
        await logins.refresh(tokens.refresh, NOW)


async def test_parent_and_successor_at_once_leave_a_login_or_none_but_no_two(house: House) -> None:
    for _ in range(10):
        logins, _, tokens = await a_login(house)
        child = await logins.refresh(tokens.refresh, NOW)
        first, second = await asyncio.gather(
            logins.refresh(tokens.refresh, NOW), logins.refresh(child.refresh, NOW), return_exceptions=True
        )
        ways_on = [outcome for outcome in (first, second) if isinstance(outcome, Tokens)]
        results = await asyncio.gather(*(logins.refresh(way.refresh, NOW) for way in ways_on), return_exceptions=True)
        assert sum(isinstance(result, Tokens) for result in results) <= 1


async def test_a_succession_that_arrived_before_its_connection_broke_is_no_replay(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins, _, tokens = await a_login(house)
    child = await logins.refresh(tokens.refresh, NOW)
    arrived = lose_one(house.stores.sessions, monkeypatch)
    assert not await is_over(logins, await logins.refresh(child.refresh, NOW))
    assert arrived[1] is None


async def test_nobody_disabled_or_deleted_gets_in_and_a_role_is_the_present_one(house: House) -> None:
    logins, user, tokens = await a_login(house)
    users = house.stores.users
    await users.change(user.organization_id, user.id, {"organizationRole": "viewer"}, NOW)
    assert (await logins.opened(tokens.access, NOW))[1].organization_role == "viewer"
    await users.change(user.organization_id, user.id, {"isActive": False}, NOW)
    assert await is_over(logins, tokens)
    await users.change(user.organization_id, user.id, {"isActive": True}, NOW)
    assert not await is_over(logins, tokens)
    await users.delete(user.organization_id, user.id, NOW)
    assert await is_over(logins, tokens)


async def test_logging_in_takes_away_what_no_token_can_belong_to_any_more(house: House) -> None:
    logins, user, tokens = await a_login(house)
    await logins.begin(user, NOW + timedelta(days=59))
    session_id = logins._mint.read(tokens.access, "access", NOW).session_id
    assert await house.stores.sessions.find(user.organization_id, session_id) is not None
    await logins.begin(user, NOW + timedelta(days=61))
    assert await house.stores.sessions.find(user.organization_id, session_id) is None
