"""The whole product on embedded services in a directory of its own, for benchmarks; nothing is left behind."""

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from cli.background import Background, background
from cli.child import Child
from cli.embedded.mongodb import mongodb_child, mongodb_url
from cli.embedded.ports import free_port
from cli.embedded.ray import ray_child
from cli.embedded.redis import redis_child, redis_url
from models.settings import Settings

Join = Callable[[Settings, Background], None]
"""Adds children to a Ray that has just been started."""


def nothing(settings: Settings) -> None:
    """No preparation."""


def nobody(settings: Settings, children: Background) -> None:
    """Ray has one node."""


@contextmanager
def running(
    application: Callable[[Settings], Child],
    prepare: Callable[[Settings], None] = nothing,
    join: Join = nobody,
    /,
    **chosen: object,
) -> Iterator[tuple[Settings, Background]]:
    """MongoDB, Redis, Ray and `application` until the context is left; `chosen` are settings.

    All call actors there may be are warm from the start, unless `call_idle_min` is chosen. `MONGODB_URL` in the
    environment replaces the embedded database. `prepare` runs when the database does, `join`
    when Ray does.
    """
    warm = {"call_idle_min": chosen["call_slots"]} if "call_slots" in chosen else {}
    given = os.environ.get("MONGODB_URL")
    with (
        tempfile.TemporaryDirectory(prefix="callboard-") as directory,
        background(Path(directory) / "logs") as children,
    ):
        data = Path(directory)
        settings = Settings(
            _env_file=None,
            callboard_data_dir=data,
            mongodb_url=given or mongodb_url(data),
            redis_url=redis_url(data),
            host="127.0.0.1",
            port=free_port(),
            secret_key=SecretStr(uuid.uuid4().hex),
            encryption_key=SecretStr(Fernet.generate_key().decode()),
        ).model_copy(update=warm | chosen)
        if not given:
            children.start(mongodb_child(data))
        prepare(settings)
        children.start(redis_child(data))
        ray, address = ray_child(settings)
        children.start(ray)
        settings = settings.model_copy(update={"ray_address": address})
        join(settings, children)
        began = time.monotonic()
        children.start(application(settings))
        print(f"deployed in {time.monotonic() - began:.1f} s, {settings.call_idle_min} warm call actors")
        yield settings, children
