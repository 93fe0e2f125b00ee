"""Access and refresh tokens, and what a refresh token is worth."""

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from pydantic import SecretStr

from models.document import new_id
from models.errors import Unauthenticated
from models.session import Session
from models.settings import Settings
from services.sessions import Claims, Mint, Worth, worth
from tests.documents import NOW, a_user

SETTINGS = Settings(_env_file=None, secret_key=SecretStr("s"))
USER = a_user(new_id())
MINT = Mint(SETTINGS)
SESSION = MINT.session(USER, NOW)


def test_a_token_says_who_until_it_expires() -> None:
    token = MINT.first(SESSION, NOW).access
    week = timedelta(seconds=SETTINGS.access_token_s)
    found = MINT.read(token, "access", NOW + week - timedelta(seconds=1))
    assert (found.user_id, found.organization_id, found.session_id) == (USER.id, USER.organization_id, SESSION.id)
    with pytest.raises(Unauthenticated, match="expired"):
        MINT.read(token, "access", NOW + week)


def test_a_refresh_token_opens_no_door() -> None:
    pair = MINT.first(SESSION, NOW)
    with pytest.raises(Unauthenticated):
        MINT.read(pair.refresh, "access", NOW)
    with pytest.raises(Unauthenticated):
        MINT.read(pair.access, "refresh", NOW)


def test_the_successor_has_a_lifetime_of_its_own() -> None:
    later = NOW + timedelta(days=29)
    first = MINT.read(MINT.first(SESSION, NOW).refresh, "refresh", NOW)
    second = MINT.read(MINT.renewed(SESSION, later).refresh, "refresh", later)
    assert first.expires_at == SESSION.expires_at == NOW + timedelta(days=30)
    assert second.expires_at == later + timedelta(days=30)


@pytest.mark.parametrize("token", ["", "a.b.c", "\ud800", "x" * 5000])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        MINT.read(token, "access", NOW)


def test_another_key_no_signature_and_missing_claims_are_refused() -> None:
    other = Mint(SETTINGS.model_copy(update={"secret_key": SecretStr("t")}))
    claims = {"sub": USER.id, "org": USER.organization_id, "sid": SESSION.id, "gen": 0, "jti": "a", "exp": 9e12}
    partial = jwt.encode({**claims, "kind": "access", "exp": NOW}, MINT._key, algorithm="HS256")
    for missing in ("sid", "jti", "kind"):
        claims_left = {**jwt.decode(partial, options={"verify_signature": False})}
        del claims_left[missing]
        with pytest.raises(Unauthenticated):
            MINT.read(jwt.encode(claims_left, MINT._key, algorithm="HS256"), "access", NOW - timedelta(days=1))
    for forged in (other.first(SESSION, NOW).access, jwt.encode({**claims, "kind": "access"}, "", algorithm="none")):
        with pytest.raises(Unauthenticated):
            MINT.read(forged, "access", NOW)


def refresh_token(session: Session) -> Claims:
    return MINT.read(MINT.first(session, NOW).refresh, "refresh", NOW)


def test_the_present_token_is_good_again_and_again() -> None:
    assert worth(refresh_token(SESSION), SESSION) is Worth.PRESENT


def test_every_token_handed_out_for_the_present_one_may_take_its_place() -> None:
    for _ in range(2):
        child = MINT.read(MINT.renewed(SESSION, NOW).refresh, "refresh", NOW)
        assert worth(child, SESSION) is Worth.NEXT


@pytest.mark.parametrize("age", [1, 2, 7])
def test_a_token_whose_successor_was_used_is_a_replay(age: int) -> None:
    moved_on = SESSION.model_copy(update={"generation": age, "token_id": "another"})
    assert worth(refresh_token(SESSION), moved_on) is Worth.REPLAYED


def test_a_sibling_of_the_present_token_is_a_replay() -> None:
    sibling = MINT.read(MINT.renewed(SESSION, NOW).refresh, "refresh", NOW)
    moved_on = SESSION.model_copy(update={"generation": 1, "token_id": "the one that was first"})
    assert worth(sibling, moved_on) is Worth.REPLAYED


def test_a_token_from_further_ahead_than_can_be_is_a_replay() -> None:
    assert worth(replace(refresh_token(SESSION), generation=2), SESSION) is Worth.REPLAYED
