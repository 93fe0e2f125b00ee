"""Hands the finished settings to a child on its standard input, so that no secret is on a command line."""

import json
from pathlib import Path
from typing import TextIO

from pydantic import SecretStr

from models.settings import Settings


def dump(settings: Settings) -> str:
    """Everything, secrets too, as JSON."""
    return json.dumps(settings.model_dump(), default=_plain)


def load(source: TextIO) -> Settings:
    """The settings somebody dumped; the environment has no say."""
    return Settings(_env_file=None, **json.load(source))


def _plain(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case _:
            raise TypeError(f"no JSON for {type(value).__name__}")
