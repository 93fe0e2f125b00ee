"""The whole product, deployed once for the tests of this folder and taken down before the next ones deploy theirs."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.background import background
from cli.embedded.ports import free_port
from cli.serve_child import serve_child
from models.settings import Settings
from tests.integration.product.world import World, a_world


@pytest.fixture(scope="package")
def platform(ray_cluster: Settings, session_dir: Path) -> Iterator[Settings]:
    """Two replicas and three call actors behind HAProxy. Vendors are expected at the ports the settings name.

    The limits of logins per address and of calls per minute are the documented ones.
    """
    carrier, llm, tts = free_port(), free_port(), free_port()
    settings = ray_cluster.model_copy(
        update={
            "mongodb_database": f"{ray_cluster.mongodb_database}_product",  # campaigns of other tests want actors
            "port": free_port(),
            "serve_replicas": 2,
            "call_slots": 3,
            "signup_credits_micros": 5_000_000,
            "tool_allowed_hosts": "127.0.0.0/8",
            "webhook_allowed_targets": "127.0.0.2",  # and nowhere else on loopback
            "trusted_proxies": 1,  # a test's client says where it comes from
            "limit_auth_per_ip": 5,
            "limit_api_per_user": 100_000,
            "limit_outbound_per_user": 10,
            "exotel_base_url": f"http://127.0.0.1:{carrier}",
            "openai_base_url": f"http://127.0.0.1:{llm}/v1",
            "openai_api_key": SecretStr("test"),
            "elevenlabs_base_url": f"http://127.0.0.1:{tts}",
            "elevenlabs_api_key": SecretStr("test"),
        }
    )
    with background(session_dir / "logs") as running:
        running.start(replace(serve_child(settings, local_ray=True), stop_grace_s=20.0))
        yield settings


@pytest.fixture
async def world(platform: Settings) -> AsyncIterator[World]:
    """The product with the vendors of one test."""
    async with a_world(platform) as started:
        yield started
