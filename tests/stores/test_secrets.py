"""Secrets at rest."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from models.errors import CallboardError
from stores.secrets import Secrets


def key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


def test_a_secret_opens_with_its_own_key_only() -> None:
    secrets = Secrets(key())
    sealed = secrets.seal("api-token")
    assert "api-token" not in sealed
    assert sealed != secrets.seal("api-token")
    assert secrets.open(sealed) == "api-token"
    with pytest.raises(CallboardError, match="ENCRYPTION_KEY"):
        Secrets(key()).open(sealed)
    with pytest.raises(CallboardError, match="ENCRYPTION_KEY"):
        secrets.open(sealed[:-4] + "AAA=")


@pytest.mark.parametrize("bad", ["", "short", "not base64 at all, but long enough!!"])
def test_a_bad_key_is_named(bad: str) -> None:
    with pytest.raises(CallboardError, match="ENCRYPTION_KEY"):
        Secrets(SecretStr(bad))
