"""Settings cross to a child whole, and only by the way meant for them."""

import io
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli import handover
from models.settings import Settings


def test_everything_arrives_secrets_too() -> None:
    sent = Settings(
        _env_file=None, callboard_data_dir=Path("/x"), secret_key=SecretStr("s3"), port=5999, mongodb_url="mongodb://h"
    )
    assert handover.load(io.StringIO(handover.dump(sent))) == sent


def test_the_receivers_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = handover.dump(Settings(_env_file=None, port=5999))
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("MONGODB_URL", "mongodb://elsewhere")
    received = handover.load(io.StringIO(sent))
    assert (received.port, received.mongodb_url) == (5999, None)
