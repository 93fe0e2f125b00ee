"""Access and refresh tokens."""

from datetime import timedelta

import jwt
import pytest
from pydantic import SecretStr

from models.document import new_id
from models.errors import Unauthenticated
from models.settings import Settings
from services.principal import Principal
from services.sessions import Sessions
from tests.documents import NOW, a_user

SETTINGS = Settings(_env_file=None, secret_key=SecretStr("s"))
USER = a_user(new_id())


def test_a_token_says_who_until_it_expires() -> None:
    sessions = Sessions(SETTINGS)
    token = sessions.issue(USER, "access", NOW)
    week = timedelta(seconds=SETTINGS.access_token_s)
    almost = NOW + week - timedelta(seconds=1)
    assert sessions.read(token, "access", almost) == Principal(USER.id, USER.organization_id, "owner")
    with pytest.raises(Unauthenticated, match="expired"):
        sessions.read(token, "access", NOW + week)


def test_a_refresh_token_opens_no_door() -> None:
    sessions = Sessions(SETTINGS)
    pair = sessions.both(USER, NOW)
    with pytest.raises(Unauthenticated):
        sessions.read(pair.refresh, "access", NOW)
    with pytest.raises(Unauthenticated):
        sessions.read(pair.access, "refresh", NOW)


@pytest.mark.parametrize("token", ["", "a.b.c", "\ud800", "x" * 5000])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        Sessions(SETTINGS).read(token, "access", NOW)


def test_another_key_and_no_signature_are_refused() -> None:
    other = Sessions(SETTINGS.model_copy(update={"secret_key": SecretStr("t")}))
    with pytest.raises(Unauthenticated):
        Sessions(SETTINGS).read(other.issue(USER, "access", NOW), "access", NOW)
    claims = {"sub": USER.id, "org": USER.organization_id, "role": "user", "kind": "access", "exp": 9e12}
    with pytest.raises(Unauthenticated):
        Sessions(SETTINGS).read(jwt.encode(claims, "", algorithm="none"), "access", NOW)
