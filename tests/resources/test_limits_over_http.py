"""Rate limits as clients meet them."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from models.errors import ProviderError
from models.settings import Settings
from serve_app.rate_limits import BY_ADDRESS, OUTBOUND_CALL
from services.agents import AgentService
from services.rate_limits import RateLimits
from stores.limits import Limits
from tests.resources.conftest import Client
from tests.services.conftest import House

pytestmark = pytest.mark.integration

AUTH, API, OUTBOUND = 3, 6, 2
LOGIN = {"email": "nobody@example.com", "password": "WrongPassword1!"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The session's, with limits that are reached soon."""
    limits = {"limit_auth_per_ip": AUTH, "limit_api_per_user": API, "limit_outbound_per_user": OUTBOUND}
    return settings.model_copy(update=limits)


@pytest.fixture
async def without_redis(house: House, tmp_path: Path) -> AsyncIterator[None]:
    """Nobody counts."""
    limits = Limits(f"unix://{tmp_path}/nobody.sock")
    house.services = replace(house.services, limits=RateLimits(house.settings, limits))
    yield
    await limits.close()


def somewhere() -> dict[str, str]:
    """The header of an address of its own, as our ingress sends it."""
    digits = uuid4().hex
    return {"X-Forwarded-For": f"2001:db8:{digits[:4]}:{digits[4:8]}::{digits[8:12]}"}


def left(response: httpx.Response) -> tuple[int, int]:
    return int(response.headers["X-RateLimit-Limit"]), int(response.headers["X-RateLimit-Remaining"])


async def test_every_answer_counts_and_says_so(client: Client) -> None:
    requests: list[tuple[str, str, dict[str, Any], int]] = [
        ("GET", "/agents", {}, 200),
        ("GET", "/auth/me", {}, 200),
        ("GET", "/calls/none", {}, 404),
        ("GET", "/calls?page=0", {}, 400),
        ("POST", "/agents", {"json": {"name": ""}}, 400),
    ]
    for done, (method, path, request, status) in enumerate(requests, start=1):
        response = await client.http.request(method, f"/api/v1{path}", **request)
        assert (response.status_code, left(response)) == (status, (API, API - done))
        assert 890 <= int(response.headers["X-RateLimit-Reset"]) - time.time() <= 901


async def test_an_answer_to_a_bug_of_ours_counts_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: AgentService, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(AgentService, "page", broken)
    response = await client.http.get("/api/v1/agents")
    assert (response.status_code, left(response)) == (500, (API, API - 1))


async def test_too_many_are_refused_as_documented_and_others_go_on(client: Client) -> None:
    for _ in range(API):
        await client.ask("GET", "/phones")
    response = await client.http.get("/api/v1/agents")
    assert (response.status_code, left(response)) == (429, (API, 0))
    wait = int(response.headers["Retry-After"])
    assert 890 <= wait <= 900
    assert response.json() == {
        "success": False,
        "error": {
            "code": "RATE_LIMIT_EXCEEDED",
            "message": "Too many requests, please try again later",
            "details": {"retryAfter": wait},
        },
    }
    await client.become(await client.house.tenant())
    await client.ask("GET", "/agents")


async def test_calls_are_limited_on_top(client: Client) -> None:
    client.house.carrier.refusal = ProviderError("No", provider="exotel", retryable=False)
    answers = [await client.http.post("/api/v1/calls/outbound", json={}) for _ in range(OUTBOUND + 1)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert [left(answer) for answer in answers] == [(OUTBOUND, 1), (OUTBOUND, 0), (OUTBOUND, 0)]
    assert int(answers[-1].headers["Retry-After"]) <= 60
    elsewhere = await client.http.get("/api/v1/agents")
    assert (elsewhere.status_code, left(elsewhere)) == (200, (API, API - OUTBOUND - 2))


async def test_a_key_with_a_limit_is_counted_apart_but_not_its_calls(client: Client) -> None:
    made = [{"name": "CRM", "scope": "write", **limit} for limit in ({"rateLimit": 2}, {})]
    keys = [(await client.ask("POST", "/api-keys", 201, json=body))["data"]["apiKey"]["key"] for body in made]
    own, users = [{"Authorization": f"Bearer {key}"} for key in keys]
    assert left(await client.http.get("/api/v1/agents", headers=own)) == (2, 1)
    assert left(await client.http.post("/api/v1/calls/outbound", json={}, headers=own)) == (2, 0)
    assert (await client.http.get("/api/v1/agents", headers=own)).status_code == 429
    assert left(await client.http.get("/api/v1/agents", headers=users)) == (API, API - 3)
    assert left(await client.http.post("/api/v1/calls/outbound", json={})) == (OUTBOUND, 0)


async def test_strangers_are_limited_by_their_address(client: Client) -> None:
    here, there = somewhere(), somewhere()
    paths = ("/auth/login", "/auth/refresh", "/auth/signup")
    for done, path in enumerate(paths, start=1):
        response = await client.http.post(f"/api/v1{path}", json={}, headers=here)
        assert (response.status_code, left(response)) == (400, (AUTH, AUTH - done))
    refused = await client.http.post("/api/v1/auth/login", json=LOGIN, headers=here)
    assert (refused.status_code, left(refused)) == (429, (AUTH, 0))
    assert (await client.http.post("/api/v1/auth/login", json=LOGIN, headers=there)).status_code == 401
    assert left(await client.http.get("/api/v1/auth/me", headers=here)) == (API, API - 1)


async def test_neither_forged_headers_nor_a_new_address_in_the_same_network_help(client: Client) -> None:
    here = somewhere()["X-Forwarded-For"]
    network = here.rpartition("::")[0]
    written = [here, f"192.0.2.1, {here}", f"{network}::1", f"127.0.0.1, {network}:ffff::2"]
    statuses = [
        (await client.http.post("/api/v1/auth/login", json={}, headers={"X-Forwarded-For": each})).status_code
        for each in written
    ]
    assert statuses == [400, 400, 400, 429]


async def test_webhooks_pages_and_recordings_are_free(client: Client) -> None:
    for path in ("/docs", "/openapi.json", "/calls/x/recording?token=x", "/webhooks/exotel/status?call=x&token=x"):
        for _ in range(API + 1):
            response = await client.http.get(f"/api/v1{path}")
            assert response.status_code in (200, 400, 401)
            assert not [name for name in response.headers if name.startswith("x-ratelimit")]


@pytest.mark.usefixtures("without_redis")
async def test_without_redis_the_api_answers_and_nobody_logs_in(client: Client) -> None:
    for _ in range(API + 1):
        response = await client.http.get("/api/v1/agents")
        assert response.status_code == 200
        assert "X-RateLimit-Limit" not in response.headers
    for path in sorted(BY_ADDRESS):
        response = await client.http.post(f"/api/v1{path}", json=LOGIN)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "INTERNAL_ERROR")
        assert int(response.headers["Retry-After"]) > 0


async def test_the_limited_routes_exist_and_document_it(client: Client) -> None:
    paths = (await client.http.get("/api/v1/openapi.json")).json()["paths"]
    for path in {*BY_ADDRESS, OUTBOUND_CALL}:
        assert "429" in paths[path]["post"]["responses"]
    assert "429" not in paths["/webhooks/exotel/status"]["post"]["responses"]
