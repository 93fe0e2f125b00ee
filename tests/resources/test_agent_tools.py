"""An agent's tools over the API: what is refused, what is stored, what is shown."""

import copy
from typing import Any

import pytest

from services.tool_secrets import MASK, opened
from stores.secrets import Secrets
from tests.resources.conftest import AGENT, Client

pytestmark = pytest.mark.integration

BOOK: dict[str, Any] = {
    "name": "book_table",
    "description": "Books a table.",
    "parameters": {
        "type": "object",
        "properties": {"day": {"type": "string"}, "$guests": {"type": "integer"}, "a.b": {"const": {"$x": None}}},
        "required": ["day"],
        "$comment": "names that a database may trip over",
    },
    "url": "https://api.example.com/tables?x=1",
    "method": "PUT",
    "headers": {"Authorization": "Bearer s3cret", "X-Tenant": "acme"},
    "timeoutS": 5,
    "filler": "",
}
TOOLS: dict[str, Any] = {"functions": [BOOK], "builtIn": ["end_call", "transfer_call"], "transferTo": "+14155550123"}


def shown(tools: dict[str, Any]) -> dict[str, Any]:
    """The same, as the API shows it."""
    hidden = copy.deepcopy(tools)
    for function in hidden["functions"]:
        function["headers"] = dict.fromkeys(function["headers"], MASK)
    return hidden


async def create(client: Client, tools: dict[str, Any], status: int = 201) -> Any:
    body = {**AGENT, "config": {**AGENT["config"], "tools": tools}}
    return await client.ask("POST", "/agents", status, json=body)


async def update(client: Client, agent_id: str, tools: dict[str, Any], status: int = 200) -> Any:
    return await client.ask("PUT", f"/agents/{agent_id}", status, json={"config": {"tools": tools}})


async def tools_of(client: Client, agent_id: str) -> Any:
    return (await client.ask("GET", f"/agents/{agent_id}"))["data"]["agent"]["config"]["tools"]


async def headers_at_rest(client: Client, agent_id: str) -> list[dict[str, str]]:
    """The stored headers, decrypted."""
    agent = await client.house.stores.agents.get(client.house.principal.organization_id, agent_id)
    assert "s3cret" not in agent.model_dump_json()
    secrets = Secrets(client.house.settings.encryption_key)
    return [function.headers for function in opened(agent.config.tools, secrets).functions]


def fields(answer: dict[str, Any]) -> list[str]:
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    return [field["field"] for field in answer["error"]["details"]["fields"]]


async def test_tools_are_stored_sealed_and_shown_masked(client: Client) -> None:
    agent = (await create(client, TOOLS))["data"]["agent"]
    assert agent["config"]["tools"] == shown(TOOLS) == await tools_of(client, agent["_id"])
    assert await headers_at_rest(client, agent["_id"]) == [BOOK["headers"]]
    [listed] = (await client.ask("GET", "/agents"))["data"]["agents"]
    assert listed["config"]["tools"] == shown(TOOLS)


async def test_what_was_shown_can_be_sent_back(client: Client) -> None:
    agent_id = (await create(client, TOOLS))["data"]["agent"]["_id"]
    seen = await tools_of(client, agent_id)
    seen["functions"][0]["description"] = "Books a table at our place."
    seen["functions"][0]["headers"]["X-Tenant"] = "other"
    await update(client, agent_id, seen)
    assert (await tools_of(client, agent_id))["functions"][0]["description"] == "Books a table at our place."
    assert await headers_at_rest(client, agent_id) == [{"Authorization": "Bearer s3cret", "X-Tenant": "other"}]


async def test_other_parts_change_without_the_functions(client: Client) -> None:
    agent_id = (await create(client, TOOLS))["data"]["agent"]["_id"]
    await update(client, agent_id, {"builtIn": []})
    await client.ask("PUT", f"/agents/{agent_id}", json={"config": {"temperature": 0.1}})
    assert await tools_of(client, agent_id) == {**shown(TOOLS), "builtIn": []}
    assert await headers_at_rest(client, agent_id) == [BOOK["headers"]]
    copied = (await client.ask("POST", f"/agents/{agent_id}/duplicate", 201))["data"]["agent"]
    assert await headers_at_rest(client, copied["_id"]) == [BOOK["headers"]]
    assert fields(await update(client, agent_id, {"builtIn": ["transfer_call"], "transferTo": ""}, 400)) == [
        "config.tools.transferTo"
    ]


@pytest.mark.parametrize(
    ("spoilt", "field"),
    [
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "gopher://example.com"}, "url"),
        ({"parameters": {"type": "array"}}, "parameters"),
        ({"parameters": {"type": "object", "properties": {"a": {"maximum": 10**40}}}}, "parameters"),
        ({"name": "send_sms"}, "name"),
        ({"name": "book table"}, "name"),
        ({"headers": {"Content-Length": "0"}}, "headers.Content-Length"),
        ({"headers": {"X-Key": MASK}}, "headers.X-Key"),
        ({"timeoutS": 31}, "timeoutS"),
    ],
)
async def test_wrong_tools_are_refused_by_name(client: Client, spoilt: dict[str, Any], field: str) -> None:
    wrong = {**TOOLS, "functions": [{**BOOK, **spoilt}]}
    expected = [f"config.tools.functions.0.{field}"]
    assert fields(await create(client, wrong, 400)) == expected
    agent_id = await client.agent()
    assert fields(await update(client, agent_id, wrong, 400)) == expected
    assert (await tools_of(client, agent_id))["functions"] == []


async def test_a_call_takes_the_sealed_tools_along(client: Client) -> None:
    agent_id = (await create(client, TOOLS))["data"]["agent"]["_id"]
    body = {"fromPhone": (await client.phone())["number"], "toPhone": "+919123456789", "agentId": agent_id}
    call_id = (await client.ask("POST", "/calls/outbound", 201, json=body))["data"]["call"]["_id"]
    call = await client.house.stores.calls.by_id(call_id)
    assert "s3cret" not in call.model_dump_json()
    tools = opened(call.agent_config.tools, Secrets(client.house.settings.encryption_key))
    assert tools.functions[0].headers == BOOK["headers"]
    assert tools.functions[0].parameters == BOOK["parameters"]
