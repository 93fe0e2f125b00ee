"""/agents/{id}/versions over HTTP."""

import pytest

from models.document import new_id
from tests.resources.conftest import AGENT, Client
from tests.resources.test_agent_tools import BOOK, TOOLS, headers_at_rest, shown

pytestmark = pytest.mark.integration

FIELDS = {
    "_id",
    "agentId",
    "version",
    "previousId",
    "name",
    "config",
    "agentIsActive",
    "isActive",
    "createdAt",
    "createdBy",
}


async def test_the_life_of_an_agent(client: Client) -> None:
    first = (await client.ask("POST", "/agents", 201, json=AGENT))["data"]["agent"]
    path = f"/agents/{first['_id']}"
    assert first["version"] == 1
    change = {"name": "Support", "config": {"temperature": 0.1}, "isActive": False}
    second = (await client.ask("PUT", path, json=change))["data"]["agent"]
    assert (second["_id"], second["version"], second["isActive"]) == (first["_id"], 2, False)
    (listed,) = (await client.ask("GET", "/agents"))["data"]["agents"]
    assert listed == second

    data = (await client.ask("GET", f"{path}/versions"))["data"]
    assert data["pagination"] == {"total": 2, "page": 1, "limit": 20, "pages": 1}
    newer, older = data["versions"]
    assert newer.keys() == older.keys() == FIELDS
    assert [each["_id"] for each in (newer, older)] == [second["versionId"], first["versionId"]]
    assert [(each["version"], each["previousId"]) for each in (newer, older)] == [(2, older["_id"]), (1, None)]
    assert [(each["isActive"], each["agentIsActive"]) for each in (newer, older)] == [(True, False), (False, True)]
    assert [each["config"] for each in (newer, older)] == [second["config"], first["config"]]
    page = (await client.ask("GET", f"{path}/versions", params={"limit": 1, "page": 2}))["data"]
    assert page["versions"] == [older]
    await client.ask("GET", f"{path}/versions", 400, params={"limit": 101})

    one = (await client.ask("GET", f"{path}/versions/{older['_id']}"))["data"]["version"]
    assert one == older
    back = (await client.ask("POST", f"{path}/versions/{older['_id']}/activate"))["data"]["agent"]
    assert back == first | {"updatedAt": back["updatedAt"]}
    versions = (await client.ask("GET", f"{path}/versions"))["data"]["versions"]
    assert [(each["version"], each["isActive"]) for each in versions] == [(2, False), (1, True)]


async def test_what_is_not_there_is_not_found(client: Client) -> None:
    agent = (await client.ask("POST", "/agents", 201, json=AGENT))["data"]["agent"]
    other = await client.agent()
    path, version_id = f"/agents/{agent['_id']}", agent["versionId"]
    missing = [(other, version_id), (agent["_id"], new_id()), (agent["_id"], "x"), (new_id(), version_id)]

    async def refused(agent_id: str, version: str) -> None:
        await client.ask("GET", f"/agents/{agent_id}/versions/{version}", 404)
        await client.ask("POST", f"/agents/{agent_id}/versions/{version}/activate", 404)

    for agent_id, version in missing:
        await refused(agent_id, version)
    await client.ask("DELETE", path)
    await refused(agent["_id"], version_id)
    await client.ask("GET", f"{path}/versions", 404)


async def test_secrets_of_tools_are_sealed_in_versions_and_shown_masked(client: Client) -> None:
    body = {**AGENT, "config": {**AGENT["config"], "tools": TOOLS}}
    agent = (await client.ask("POST", "/agents", 201, json=body))["data"]["agent"]
    path = f"/agents/{agent['_id']}"
    await client.ask("PUT", path, json={"config": {"tools": {"functions": [], "builtIn": []}}})
    listed = (await client.ask("GET", f"{path}/versions"))["data"]["versions"][-1]
    one = (await client.ask("GET", f"{path}/versions/{agent['versionId']}"))["data"]["version"]
    assert one == listed
    assert one["config"]["tools"] == shown(TOOLS)
    stores = client.house.stores
    stored = await stores.agents.get(client.house.principal.organization_id, agent["_id"])
    first = await stores.agents.version(stored, agent["versionId"])
    assert "s3cret" not in first.model_dump_json()
    back = (await client.ask("POST", f"{path}/versions/{first.id}/activate"))["data"]["agent"]
    assert back["config"]["tools"] == shown(TOOLS)
    assert await headers_at_rest(client, agent["_id"]) == [BOOK["headers"]]


async def test_a_call_shows_the_version_of_its_agent(client: Client) -> None:
    call = await client.call()
    agent = (await client.ask("GET", f"/agents/{call['agentId']}"))["data"]["agent"]
    shown_call = (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]
    assert shown_call["versions"] == {
        "agentVersionId": agent["versionId"],
        "promptId": None,
        "sessionSettingsId": None,
        "smsTemplateId": None,
    }
