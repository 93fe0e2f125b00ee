"""Generates the secrets that settings leave empty, once per data directory."""

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from cli.errors import StartFailed
from models.settings import Settings

MODE = 0o600


def secrets_file(data_dir: Path) -> Path:
    """Where the generated ones are kept."""
    return data_dir / "secrets.json"


def with_secrets(settings: Settings) -> Settings:
    """The settings with SECRET_KEY and ENCRYPTION_KEY filled in; raises StartFailed when one can't be used."""
    empty = [name for name in ("secret_key", "encryption_key") if not getattr(settings, name).get_secret_value()]
    if empty:
        kept = _read_or_make(secrets_file(settings.callboard_data_dir))
        settings = settings.model_copy(update={name: SecretStr(kept[name]) for name in empty})
    _check_encryption_key(settings.encryption_key)
    return settings


def _read_or_make(path: Path) -> dict[str, str]:
    if not path.exists():
        _write(path, {"secret_key": secrets.token_urlsafe(48), "encryption_key": Fernet.generate_key().decode()})
    try:
        kept = json.loads(path.read_text())
        return {name: str(kept[name]) for name in ("secret_key", "encryption_key")}
    except (ValueError, KeyError, OSError) as error:
        raise StartFailed(f"{path} can't be read ({error}): repair it, or set SECRET_KEY and ENCRYPTION_KEY") from error


def _write(path: Path, values: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=2)
    draft.replace(path)


def _check_encryption_key(key: SecretStr) -> None:
    try:
        Fernet(key.get_secret_value())
    except ValueError:
        raise StartFailed("ENCRYPTION_KEY is not a Fernet key (32 bytes, url-safe base64)") from None
