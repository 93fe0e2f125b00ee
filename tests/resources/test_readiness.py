"""`/health` and `/ready` as a balancer sees them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from serve_app.health import VERSION, health, ready
from services.readiness import Readiness


async def well() -> None:
    """A part that answers."""


async def away() -> None:
    """A part that does not."""
    raise OSError("mongodb://user:secret@db.internal:27017 refused")


@pytest.fixture
def checks() -> dict[str, Callable[[], Awaitable[None]]]:
    """What is asked."""
    return {"mongodb": well, "redis": well}


@pytest.fixture
async def http(checks: dict[str, Callable[[], Awaitable[None]]]) -> AsyncIterator[httpx.AsyncClient]:
    """A site with the two addresses."""
    site = Starlette(routes=[Route("/health", health), Route("/ready", ready(Readiness(checks)))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://test") as client:
        yield client


async def test_ready_names_what_answers(http: httpx.AsyncClient) -> None:
    answer = await http.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": {"mongodb": "ok", "redis": "ok"}})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_not_ready_says_what_is_missing_when_to_come_back_and_no_addresses(
    checks: dict[str, Callable[[], Awaitable[None]]], http: httpx.AsyncClient
) -> None:
    checks["mongodb"] = away
    answer = await http.get("/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json() == {"status": "not ready", "checks": {"mongodb": "failing", "redis": "ok"}}


async def test_health_does_not_depend_on_anything(
    checks: dict[str, Callable[[], Awaitable[None]]], http: httpx.AsyncClient
) -> None:
    checks["mongodb"] = checks["redis"] = away
    answer = await http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": VERSION})
