"""The real parts integration tests run on: one embedded MongoDB, Redis and Ray head per test session.

`MONGODB_URL` and `REDIS_URL` in the environment replace the embedded ones. Fixtures:

    mongodb_url     database_name (unique per session)     redis_url
    settings        complete Settings on those, with secrets, a free port and short timeouts; no Ray
    ray_cluster     the same Settings with `ray_address` of a running head node; started on first use (about 10 s)

The address of a service stays the same when its process is killed and started again.
"""

import gc
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from cli.background import Background, background
from cli.embedded.mongodb import mongodb_child, mongodb_url as embedded_mongodb_url
from cli.embedded.places import runtime_path
from cli.embedded.ports import free_port
from cli.embedded.ray import ray_child, ray_environment
from cli.embedded.redis import redis_child, redis_url as embedded_redis_url
from models.settings import Settings

gc.set_threshold(50_000, 50, 100)  # importing what the suite imports makes the default collect for seconds


def pytest_collection_finish() -> None:
    """What was imported stays: no collection need look at it again, and pytest makes several at the end."""
    gc.freeze()


@pytest.fixture(scope="session")
def session_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of this test session."""
    return tmp_path_factory.mktemp("callboard")


@pytest.fixture(scope="session")
def services(session_dir: Path) -> Iterator[Background]:
    """Runs children until the session ends."""
    with background(session_dir / "logs") as running:
        yield running
    shutil.rmtree(runtime_path(session_dir), ignore_errors=True)


@pytest.fixture(scope="session")
def mongodb_url(services: Background, session_dir: Path) -> str:
    """A MongoDB for this session."""
    if given := os.environ.get("MONGODB_URL"):
        return given
    services.start(mongodb_child(session_dir))
    return embedded_mongodb_url(session_dir)


@pytest.fixture(scope="session")
def redis_url(services: Background, session_dir: Path) -> str:
    """A Redis for this session."""
    if given := os.environ.get("REDIS_URL"):
        return given
    services.start(redis_child(session_dir))
    return embedded_redis_url(session_dir)


@pytest.fixture(scope="session")
def database_name() -> str:
    """A database nobody else uses."""
    return f"callboard_test_{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="session")
def settings(mongodb_url: str, redis_url: str, database_name: str, session_dir: Path) -> Settings:
    """Complete settings for the services of this session."""
    return Settings(
        _env_file=None,
        callboard_data_dir=session_dir,
        mongodb_url=mongodb_url,
        mongodb_database=database_name,
        redis_url=redis_url,
        host="127.0.0.1",
        port=free_port(),
        secret_key=SecretStr(uuid.uuid4().hex + uuid.uuid4().hex),
        encryption_key=SecretStr(Fernet.generate_key().decode()),
        llm_first_token_s=2.0,
        llm_total_s=10.0,
        tts_first_byte_s=2.0,
        tts_total_s=10.0,
        carrier_timeout_s=5.0,
        ring_timeout_s=10,
        limit_auth_per_ip=0,  # tests ask often; those of the limits set their own
        limit_api_per_user=0,
        limit_outbound_per_user=0,
    )


@pytest.fixture(scope="session")
def ray_cluster(services: Background, settings: Settings) -> Iterator[Settings]:
    """The settings with a running Ray; the variables Serve needs are in this process's environment meanwhile."""
    child, address = ray_child(settings)
    environment = ray_environment(settings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        services.start(child)
        yield settings.model_copy(update={"ray_address": address})
