"""/agents as documented, over HTTP."""

from typing import Any

import pytest

from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING
from tests.integration.product.contract.document import AGENT, AGENT_IN_FULL, page_of
from tests.integration.product.contract.shapes import Shape
from tests.integration.product.customer import Account, agent_body

pytestmark = pytest.mark.integration

ONE = Shape({"agent": AGENT})
SAMPLE: dict[str, Any] = {
    "name": "Sales Agent",
    "config": {
        "prompt": "You are a friendly sales representative...",
        "voice": {"provider": "elevenlabs", "voiceId": "21m00Tcm4TlvDq8ikWAM", "model": "eleven_turbo_v2"},
        "language": "en",
        "llm": {"model": "gpt-4", "temperature": 0.7},
        "firstMessage": "Hi! I'm calling from XYZ Company.",
        "sessionTimeout": 300,
    },
}
NOBODYS = "64f8a1b2c3d4e5f6a7b8c9d1"


async def test_an_agent_is_created_as_in_the_document(client: Client, account: Account) -> None:
    made = (await client.answer("POST", "/agents", SAMPLE, status=201, data=ONE))["agent"]
    documented = {name: made["config"][name] for name in SAMPLE["config"]}  # the rest is ours, with its defaults
    assert {"name": made["name"], "config": documented} == SAMPLE
    assert (made["userId"], made["isActive"]) == (account.user["_id"], True)


async def test_the_temperature_is_0_7_when_none_is_given(client: Client) -> None:
    body = {**SAMPLE, "config": {**SAMPLE["config"], "llm": {"model": "gpt-4"}}}
    made = (await client.answer("POST", "/agents", body, status=201, data=ONE))["agent"]
    assert made["config"]["llm"] == {"model": "gpt-4", "temperature": 0.7}


async def test_the_curl_example_of_the_document_works(client: Client) -> None:
    config = {
        "prompt": "You are a helpful assistant",
        "voice": {"provider": "openai", "voiceId": "alloy"},
        "language": "en",
        "llm": {"model": "gpt-4", "temperature": 0.7},
    }
    await client.answer("POST", "/agents", {"name": "Test Agent", "config": config}, status=201, data=ONE)


def without(*path: str) -> dict[str, Any]:
    """The sample without one of its fields."""
    body: dict[str, Any] = {"name": SAMPLE["name"], "config": {**SAMPLE["config"]}}
    inner = body
    for name in path[:-1]:
        inner[name] = {**inner[name]}
        inner = inner[name]
    del inner[path[-1]]
    return body


def with_config(**fields: Any) -> dict[str, Any]:
    return {"name": "Sales Agent", "config": SAMPLE["config"] | fields}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (without("name"), "name"),
        ({**SAMPLE, "name": ""}, "name"),
        ({**SAMPLE, "name": "x" * 101}, "name"),
        (without("config"), "config"),
        (without("config", "prompt"), "config.prompt"),
        (with_config(prompt="x" * 9), "config.prompt"),
        (with_config(prompt="x" * 5001), "config.prompt"),
        (without("config", "voice", "provider"), "config.voice.provider"),
        (with_config(voice={"provider": "acme", "voiceId": "a"}), "config.voice.provider"),
        (without("config", "voice", "voiceId"), "config.voice.voiceId"),
        (without("config", "language"), "config.language"),
        (with_config(language="English"), "config.language"),
        (without("config", "llm", "model"), "config.llm.model"),
        (with_config(llm={"model": "gpt-2"}), "config.llm.model"),
        (with_config(llm={"model": "gpt-4", "temperature": 2.1}), "config.llm.temperature"),
        (with_config(llm={"model": "gpt-4", "temperature": -0.1}), "config.llm.temperature"),
    ],
)
async def test_each_documented_rule_of_an_agent_is_kept(client: Client, body: dict[str, Any], field: str) -> None:
    assert (await client.fields("POST", "/agents", body)).keys() == {field}


@pytest.mark.parametrize("provider", ["openai", "elevenlabs", "cartesia"])
@pytest.mark.parametrize("model", ["gpt-4", "gpt-3.5-turbo", "gpt-4-turbo"])
async def test_each_documented_vendor_and_model_is_taken(client: Client, provider: str, model: str) -> None:
    body = with_config(voice={"provider": provider, "voiceId": "a"}, llm={"model": model, "temperature": 2})
    await client.answer("POST", "/agents", body, status=201, data=ONE)


async def test_agents_are_listed_searched_and_paged(client: Client) -> None:
    ids = [
        (await client.answer("POST", "/agents", agent_body() | {"name": f"Page (Test) {number}"}, status=201))["agent"]
        for number in range(3)
    ]
    newest_first = [agent["_id"] for agent in reversed(ids)]
    shape = page_of("agents", AGENT)
    found = await client.answer("GET", "/agents?search=page%20(t", data=shape)
    assert [agent["_id"] for agent in found["agents"]] == newest_first
    assert found["pagination"] == {"total": 3, "page": 1, "limit": 20, "pages": 1}
    second = await client.answer("GET", "/agents?search=page%20(t&page=2&limit=2", data=shape)
    assert [agent["_id"] for agent in second["agents"]] == newest_first[2:]
    assert second["pagination"] == {"total": 3, "page": 2, "limit": 2, "pages": 2}
    beyond = await client.answer("GET", "/agents?search=page%20(t&page=9", data=shape)
    assert beyond["agents"] == []
    none = await client.answer("GET", "/agents?search=nobody-is-called-that", data=shape)
    assert none["pagination"] == {"total": 0, "page": 1, "limit": 20, "pages": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [("page=0", "page"), ("page=x", "page"), ("limit=0", "limit"), ("limit=101", "limit")],
)
async def test_a_list_refuses_pages_that_cannot_be(client: Client, query: str, field: str) -> None:
    for path in ("/agents", "/phones", "/calls"):
        assert (await client.fields("GET", f"{path}?{query}")).keys() == {field}


async def test_an_agent_is_shown_with_its_stats(client: Client) -> None:
    agent_id = await client.agent()
    shown = (await client.answer("GET", f"/agents/{agent_id}", data=Shape({"agent": AGENT_IN_FULL})))["agent"]
    assert shown["stats"] == {"totalCalls": 0, "totalDuration": 0, "avgDuration": 0, "successRate": 0}


async def test_an_update_changes_only_what_it_names(client: Client) -> None:
    agent = (await client.answer("POST", "/agents", SAMPLE, status=201))["agent"]
    patch = {"name": "Updated Sales Agent", "config": {"prompt": "Updated prompt...", "temperature": 0.8}}
    changed = (await client.answer("PUT", f"/agents/{agent['_id']}", patch, data=ONE))["agent"]
    assert changed["name"] == "Updated Sales Agent"
    assert changed["config"] == {
        **agent["config"],
        "prompt": "Updated prompt...",
        "llm": {"model": "gpt-4", "temperature": 0.8},
    }
    assert changed["updatedAt"] > agent["updatedAt"]
    assert changed["createdAt"] == agent["createdAt"]
    same = (await client.answer("PUT", f"/agents/{agent['_id']}", {}, data=ONE))["agent"]
    assert same["config"] == changed["config"]


async def test_an_update_is_validated(client: Client) -> None:
    agent_id = await client.agent()
    body = {"name": "", "config": {}}
    assert (await client.fields("PUT", f"/agents/{agent_id}", body)).keys() == {"name"}
    body = {"config": {"prompt": "short", "voice": {"provider": "acme"}}}
    refused = await client.fields("PUT", f"/agents/{agent_id}", body)
    assert refused.keys() == {"config.prompt", "config.voice.provider"}


async def test_a_deleted_agent_is_gone(client: Client) -> None:
    agent_id = await client.agent()
    assert await client.done("DELETE", f"/agents/{agent_id}") == "Agent deleted successfully"
    await client.refusal(404, "GET", f"/agents/{agent_id}")
    await client.refusal(404, "DELETE", f"/agents/{agent_id}")
    listed = (await client.answer("GET", "/agents?limit=100"))["agents"]
    assert agent_id not in [agent["_id"] for agent in listed]


async def test_an_agent_with_live_calls_is_not_deleted(client: Client, carrier: Carrier) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    await client.refusal(409, "DELETE", f"/agents/{call['agentId']}")
    await client.answer("POST", f"/calls/{call['sessionId']}/end", {"reason": "user_requested"})
    await client.done("DELETE", f"/agents/{call['agentId']}")


async def test_a_copy_has_its_own_name_and_the_same_config(client: Client) -> None:
    agent = (await client.answer("POST", "/agents", SAMPLE, status=201))["agent"]
    path = f"/agents/{agent['_id']}/duplicate"
    copy = (await client.answer("POST", path, {"name": "Copy of it"}, status=201, data=ONE))["agent"]
    assert (copy["name"], copy["config"]) == ("Copy of it", agent["config"])
    assert copy["_id"] != agent["_id"]
    unnamed = (await client.answer("POST", path, status=201, data=ONE))["agent"]
    assert unnamed["name"] == "Copy of Sales Agent"
    assert (await client.fields("POST", path, {"name": ""})).keys() == {"name"}


@pytest.mark.parametrize("agent_id", [NOBODYS, "x", "%00"])
async def test_an_agent_that_is_not_there_is_not_found(client: Client, agent_id: str) -> None:
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/duplicate")):
        body = {"name": "Nobody"} if method in ("PUT", "POST") else None
        error = await client.refusal(404, method, f"/agents/{agent_id}{path}", body)
        assert error["message"] == "Agent not found"
