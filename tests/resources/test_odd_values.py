"""Odd values in every field of every request: refused or taken, never our fault."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.documents import a_call, a_user
from tests.resources.conftest import AGENT, Client

pytestmark = pytest.mark.integration

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**40,
    "",
    "\0",
    "\ud800",
    "x" * 20_000,
    "$where",
    "+1415\u0660550123",
    [],
    [[]],
    {},
]
ODD += [{"$gt": ""}, {"a": {"b": [None]}}, {"\0": 1}, {"\ud800": 1}]

FUNCTION: dict[str, Any] = {
    "name": "book",
    "description": "Books.",
    "parameters": {"type": "object", "properties": {"day": {"type": "string", "pattern": "^a$"}}, "required": ["day"]},
    "url": "https://api.example.com/",
    "method": "POST",
    "headers": {"X-Key": "x"},
    "timeoutS": 5,
    "filler": "x",
}
TOOLS = {"functions": [FUNCTION], "builtIn": ["end_call"], "transferTo": "+14155550123"}
WITH_TOOLS = {"name": "x", "config": {**AGENT["config"], "tools": TOOLS}}

ACCOUNT = {"apiKey": "k", "apiToken": "t", "sid": "s", "subdomain": "api.exotel.com"}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/auth/signup", {"email": "a@example.com", "password": "short", "name": "x"}),
    ("POST", "/auth/refresh", {"refreshToken": "x"}),
    ("POST", "/auth/logout", {"everywhere": None}),
    ("POST", "/auth/password", {"currentPassword": "x", "newPassword": "short"}),
    ("POST", "/users", {"email": "a@example.com", "password": "short", "name": "x", "organizationRole": "agent"}),
    ("PUT", "/users/{user}", {"name": "x", "organizationRole": "agent", "isActive": True}),
    ("POST", "/api-keys", {"name": "x", "scope": "read", "rateLimit": 7}),
    ("POST", "/agents", AGENT),
    ("PUT", "/agents/{agent}", AGENT),
    ("PUT", "/agents/{agent}", {"config": {"tools": TOOLS}}),
    ("POST", "/agents", WITH_TOOLS),
    ("POST", "/agents/{agent}/duplicate", {"name": "x"}),
    ("POST", "/phones/import", {"number": "+919876543210", "country": "IN", "exotelConfig": ACCOUNT}),
    ("PUT", "/phones/{phone}/agent", {"agentId": "x"}),
    ("PUT", "/phones/{phone}/tags", {"tags": ["x"]}),
    ("POST", "/calls/outbound", {"fromPhone": "x", "toPhone": "+919876543210", "agentId": "x", "metadata": {"a": 1}}),
    ("POST", "/calls/outbound", {"toPhone": "+919876543210", "variables": {"a": "x"}}),
    ("PATCH", "/calls/{call}/disposition", {"name": "x", "notes": "x"}),
    ("POST", "/calls/{session}/end", {"reason": "x"}),
    ("POST", "/prompts", {"name": "x", "content": "Say hello."}),
    ("PUT", "/prompts/{prompt}", {"name": "x", "content": "Say hello.", "isActive": True}),
    ("POST", "/session-settings", {"name": "x", "settings": {"language": "en", "turnTaking": {"endMs": 500}}}),
    ("PUT", "/session-settings/{settings}", {"name": "x", "settings": {"silence": {"reprompts": 1}}, "isActive": True}),
    ("POST", "/sms-templates", {"name": "x", "content": "{a}", "dltTemplateId": "1", "dltEntityId": "2"}),
    ("PUT", "/sms-templates/{template}", {"content": "{a}", "dltTemplateId": "1"}),
]
VERSIONED: list[tuple[str, str, dict[str, Any]]] = [
    ("prompt", "/prompts", {"name": "x", "content": "Say hello."}),
    ("settings", "/session-settings", {"name": "x", "settings": {}}),
    ("template", "/sms-templates", {"name": "x", "content": "{a}"}),
]


def spoilt(body: Any, odd: Any) -> Iterator[Any]:
    """The body with one of its values, at any depth, replaced."""
    yield odd
    if isinstance(body, dict):
        for key, value in body.items():
            for worse in spoilt(value, odd):
                yield {**body, key: worse}
        yield {**body, "odd": odd}
    elif isinstance(body, list):
        for index, value in enumerate(body):
            for worse in spoilt(value, odd):
                yield [*body[:index], worse, *body[index + 1 :]]


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=[path for _, path, _ in BODIES])
async def test_odd_bodies_are_answered(client: Client, method: str, path: str, body: dict[str, Any]) -> None:
    names = {"agent": await client.agent(), "phone": (await client.phone())["_id"], "session": "sess_x"}
    names["call"] = (await client.house.stores.calls.insert(a_call(client.house.principal.organization_id))).id
    names["user"] = (await client.house.stores.users.insert(a_user(client.house.principal.organization_id))).id
    for placeholder, path_of, example in VERSIONED:
        (made,) = (await client.ask("POST", path_of, 201, json=example))["data"].values()
        names[placeholder] = made["rootId"]
    for odd in ODD:
        for content in spoilt(body, odd):
            response = await client.http.request(
                method,
                "/api/v1" + path.format(**names),
                content=json.dumps(content),
                headers={"Content-Type": "application/json"},
            )
            assert response.status_code < 500, (content, response.text)
            assert response.json()["success"] is (response.status_code < 400)


@pytest.mark.parametrize(
    "path",
    [
        "/agents?search=",
        "/prompts?search=",
        "/prompts/",
        "/calls?agentId=",
        "/calls?fromDate=",
        "/calls?disposition=",
        "/phones?page=",
        "/calls/",
        "/audit-log?userId=",
    ],
)
@pytest.mark.parametrize("odd", ["%00", "%ED%A0%80", "%FF", "(", "*", "$", "%2E%2E", "9" * 30, "[a]=1", "x" * 5000])
async def test_odd_addresses_are_answered(client: Client, path: str, odd: str) -> None:
    response = await client.http.get(f"/api/v1{path}{odd}")
    assert response.status_code < 500, response.text
    assert response.json()["success"] is (response.status_code < 400)
