"""Which code and settings something was started from: deployed twice, the same ones change nothing that runs."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pydantic import SecretStr

from models.settings import REPOSITORY, Settings

PACKAGES = ("actors", "models", "providers", "serve_app", "services", "stores")
"""What actors and replicas are made of."""
ELSEWHERE = {"ray_address", "callboard_data_dir"}
"""Settings that say where the one who deploys stands, and nothing of what is deployed."""
LETTERS = 10


def revision_of(settings: Settings, *, driver: str) -> str:
    """A short name for this code with these settings. Secrets count, and cannot be had back from it."""
    text = json.dumps(settings.model_dump(exclude=ELSEWHERE), default=_plain, sort_keys=True)
    return hashlib.sha256(f"{code_of(REPOSITORY)} {driver} {text}".encode()).hexdigest()[:LETTERS]


@cache
def code_of(root: Path) -> str:
    """A name for the version and every file of PACKAGES under `root`, whatever it is called where it lies."""
    digest = hashlib.sha256(version("callboard").encode())
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
