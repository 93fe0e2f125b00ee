"""Every way a request can be wrong, answered in the documented envelope."""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from models.errors import ProviderError
from services.agents import AgentService
from tests.resources.conftest import AGENT, Client

pytestmark = pytest.mark.integration


def fields(answer: Any) -> set[str]:
    assert answer["success"] is False
    assert (answer["error"]["code"], answer["error"]["message"]) == ("VALIDATION_ERROR", "Validation failed")
    return {refused["field"] for refused in answer["error"]["details"]["fields"]}


async def test_refused_fields_are_named_as_documented(client: Client) -> None:
    answer = await client.ask("POST", "/auth/signup", 400, json={"email": "nobody", "password": "short"})
    assert answer["error"]["details"] == {
        "fields": [
            {"field": "email", "message": "Invalid email format"},
            {"field": "password", "message": "Password must be at least 8 characters"},
        ]
    }
    config = {
        **AGENT["config"],
        "prompt": "short",
        "voice": {"provider": "acme"},
        "llm": {"model": "gpt-4", "temperature": 3},
    }
    answer = await client.ask("POST", "/agents", 400, json={"name": "", "config": config})
    assert fields(answer) == {
        "name",
        "config.prompt",
        "config.voice.provider",
        "config.voice.voiceId",
        "config.llm.temperature",
    }


async def test_a_refused_update_names_the_path(client: Client) -> None:
    agent_id = await client.agent()
    for config, field in (({"voice": {"provider": "acme"}}, "config.voice.provider"), ([], "config")):
        assert fields(await client.ask("PUT", f"/agents/{agent_id}", 400, json={"config": config})) == {field}


@pytest.mark.parametrize(
    ("content", "kind", "field"),
    [
        (b"{", "application/json", "body"),
        (b"[]", "application/json", "body"),
        (b"", "application/json", "body"),
        (b"\xff\xfe", "application/json", None),
        (b"email=a", "application/x-www-form-urlencoded", "body"),
    ],
)
async def test_a_body_that_is_none_is_refused(client: Client, content: bytes, kind: str, field: str | None) -> None:
    answer = await client.ask("POST", "/auth/login", 400, content=content, headers={"Content-Type": kind})
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    assert field is None or fields(answer) == {field}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("status=ringed", "status"),
        ("direction=up", "direction"),
        ("fromDate=yesterday", "fromDate"),
        ("toDate=9999-12-31", "toDate"),
    ],
)
async def test_refused_queries_are_named(client: Client, query: str, field: str) -> None:
    assert fields(await client.ask("GET", f"/calls?{query}", 400)) == {field}


@pytest.mark.parametrize(
    "metadata",
    [{"n": 10**30}, {"a\0b": 1}, {"half": "\ud800"}, {"big": "x" * 20_000}, {"deep": {"n": [{"n": -(10**20)}]}}],
)
async def test_metadata_that_cannot_be_stored_is_refused(client: Client, metadata: dict[str, Any]) -> None:
    body = {"fromPhone": "+919876543210", "toPhone": "+919123456789", "agentId": "a", "metadata": metadata}
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    answer = await client.ask("POST", "/calls/outbound", 400, content=content, headers=headers)
    assert fields(answer) == {"metadata"}


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x.y.z", "Basic dXNlcjpwYXNz", "Bearer  ", "x"])
async def test_without_a_token_nothing_opens(client: Client, header: str | None) -> None:
    del client.http.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header}
    for method, path in (("GET", "/agents"), ("GET", "/auth/me"), ("POST", "/calls/outbound"), ("DELETE", "/phones/x")):
        answer = await client.ask(method, path, 401, headers=headers)
        assert answer["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("wrong", ["x", "64f8a1b2c3d4e5f6a7b8c9d0", "%00", "%F0%9F%98%80", "$ne", "a" * 3000])
async def test_ids_of_nothing_are_not_found(client: Client, wrong: str) -> None:
    for path in (f"/agents/{wrong}", f"/calls/{wrong}"):
        answer = await client.ask("GET", path, 404)
        assert answer["error"]["code"] == "NOT_FOUND"


async def test_unknown_routes_and_methods_answer_in_the_envelope(client: Client) -> None:
    lost = await client.ask("GET", "/nothing/here", 404)
    assert lost == {"success": False, "error": {"code": "NOT_FOUND", "message": "Not Found", "details": {}}}
    response = await client.http.request("PATCH", "/api/v1/agents")
    assert response.status_code == 405
    assert response.json()["success"] is False
    assert "Allow" in response.headers


async def test_a_refusing_carrier_is_a_bad_gateway(client: Client) -> None:
    client.house.carrier.refusal = ProviderError("Too many", provider="exotel", retryable=True, retry_after_s=1.2)
    body = {
        "fromPhone": (await client.phone())["number"],
        "toPhone": "+919123456789",
        "agentId": await client.agent(),
    }
    response = await client.http.post("/api/v1/calls/outbound", json=body)
    assert (response.status_code, response.headers["Retry-After"]) == (502, "2")
    assert response.json()["error"]["code"] == "EXTERNAL_SERVICE_ERROR"


async def test_our_own_bugs_say_nothing_of_our_insides(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: AgentService, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(AgentService, "page", broken)
    answer = await client.ask("GET", "/agents", 500)
    assert answer["error"]["code"] == "INTERNAL_ERROR"
    assert "hunter2" not in str(answer)


async def test_a_body_without_end_is_refused(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b'{"email": "' + b"a" * (1 << 16)

    kinds = ("application/json", "application/x-www-form-urlencoded")
    for path, kind in itertools.product(("/auth/login", "/webhooks/exotel/status?call=x&token=x"), kinds):
        for content in (b"a" * (2 << 20), endless()):
            answer = await client.ask("POST", path, 413, content=content, headers={"Content-Type": kind})
            assert answer["error"]["code"] == "VALIDATION_ERROR"
