"""Generated secrets: made once, kept private, never in the way of given ones."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from cli.errors import StartFailed
from cli.secrets import secrets_file, with_secrets
from models.settings import Settings


def empty(data_dir: Path) -> Settings:
    """Settings without secrets."""
    return Settings(_env_file=None, callboard_data_dir=data_dir, secret_key=SecretStr(""), encryption_key=SecretStr(""))


def test_they_are_made_once_and_kept(tmp_path: Path) -> None:
    first, second = with_secrets(empty(tmp_path)), with_secrets(empty(tmp_path))
    assert first == second
    assert len(first.secret_key.get_secret_value()) >= 48
    Fernet(first.encryption_key.get_secret_value())


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    with_secrets(empty(tmp_path))
    assert secrets_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_given_ones_are_used_as_they_are(tmp_path: Path) -> None:
    key = SecretStr(Fernet.generate_key().decode())
    given = empty(tmp_path).model_copy(update={"secret_key": SecretStr("mine"), "encryption_key": key})
    assert with_secrets(given) == given
    assert not secrets_file(tmp_path).exists()


def test_a_wrong_encryption_key_is_refused_by_name(tmp_path: Path) -> None:
    given = empty(tmp_path).model_copy(update={"encryption_key": SecretStr("too short")})
    with pytest.raises(StartFailed, match="ENCRYPTION_KEY"):
        with_secrets(given)


def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    secrets_file(tmp_path).write_text("{")
    with pytest.raises(StartFailed, match=r"secrets\.json"):
        with_secrets(empty(tmp_path))
    assert secrets_file(tmp_path).read_text() == "{"
