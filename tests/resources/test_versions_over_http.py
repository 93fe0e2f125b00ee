"""/prompts, /session-settings and /sms-templates over HTTP."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from models.call import Versions
from models.document import new_id
from models.errors import ProviderError
from providers.roles import Message, ReplyDelta, ToolSpec
from serve_app.api import build_api
from serve_app.resources import prompts, session_settings, sms_templates
from services.prompt_writer import PromptWriter
from tests.documents import NOW, a_call
from tests.resources.conftest import AGENT, Client

pytestmark = pytest.mark.integration

COMMON = {
    "_id",
    "rootId",
    "version",
    "previousId",
    "name",
    "isActive",
    "createdAt",
    "updatedAt",
    "createdBy",
    "modifiedBy",
}
KINDS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("/prompts", "prompt", "prompts", prompts.EXAMPLE, {"content": "Remind them firmly."}, "Prompt"),
    (
        "/session-settings",
        "sessionSettings",
        "sessionSettings",
        session_settings.EXAMPLE,
        {"settings": {"turnTaking": {"endMs": 900}}},
        "Session settings",
    ),
    (
        "/sms-templates",
        "smsTemplate",
        "smsTemplates",
        sms_templates.EXAMPLE,
        {"content": "Hello {customer_name}"},
        "SMS template",
    ),
]


@pytest.mark.parametrize(("path", "one", "many", "example", "change", "noun"), KINDS, ids=[path for path, *_ in KINDS])
async def test_the_life_of_a_thing(
    client: Client, path: str, one: str, many: str, example: dict[str, Any], change: dict[str, Any], noun: str
) -> None:
    first = (await client.ask("POST", path, 201, json=example))["data"][one]
    assert first.keys() >= COMMON
    assert (first["version"], first["previousId"], first["isActive"]) == (1, None, True)
    assert first["name"] == example["name"]
    root, first_id = first["rootId"], first["_id"]
    assert root != first_id

    second = (await client.ask("PUT", f"{path}/{root}", json=change))["data"][one]
    assert (second["version"], second["previousId"], second["isActive"]) == (2, first_id, True)
    draft = {"name": "Draft", "isActive": False}
    third = (await client.ask("PUT", f"{path}/{second['_id']}", json=draft))["data"][one]
    assert (third["version"], third["previousId"], third["isActive"]) == (3, second["_id"], False)
    assert (await client.ask("GET", f"{path}/{root}"))["data"][one] | {"updatedAt": ""} == second | {"updatedAt": ""}
    assert (await client.ask("GET", f"{path}/{first_id}"))["data"][one]["isActive"] is False

    activated = (await client.ask("POST", f"{path}/{first_id}/activate"))["data"][one]
    assert (activated["_id"], activated["isActive"]) == (first_id, True)
    versions = (await client.ask("GET", f"{path}/{root}/versions"))["data"]
    assert [each["version"] for each in versions[many]] == [3, 2, 1]
    assert [each["isActive"] for each in versions[many]] == [False, False, True]
    assert versions["pagination"] == {"total": 3, "page": 1, "limit": 20, "pages": 1}
    (listed,) = (await client.ask("GET", path, params={"search": example["name"].upper()}))["data"][many]
    assert listed == activated

    assert (await client.ask("DELETE", f"{path}/{root}"))["message"] == f"{noun} deleted successfully"
    for method, below in (("GET", ""), ("PUT", ""), ("POST", "/activate"), ("GET", "/versions"), ("DELETE", "")):
        for any_id in (root, first_id, new_id(), "x"):
            body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
            refused = await client.ask(method, f"{path}/{any_id}{below}", 404, **body)
            assert refused["error"]["message"] == f"{noun} not found"


async def test_two_default_settings_are_always_there(client: Client) -> None:
    found = (await client.ask("GET", "/session-settings"))["data"]["sessionSettings"]
    assert sorted(each["name"] for each in found) == ["Patient", "Standard"]
    assert all(each["isDefault"] and "createdBy" not in each for each in found)
    await client.ask("DELETE", f"/session-settings/{found[0]['rootId']}", 409)


async def test_a_template_shows_its_variables_and_loses_its_registration(client: Client) -> None:
    template = (await client.ask("POST", "/sms-templates", 201, json=sms_templates.EXAMPLE))["data"]["smsTemplate"]
    assert template["variables"] == ["customer_name", "amount", "link"]
    change = {"dltTemplateId": None, "content": None}
    changed = (await client.ask("PUT", f"/sms-templates/{template['_id']}", json=change))["data"]["smsTemplate"]
    assert changed["content"] == template["content"]
    assert "dltTemplateId" not in changed
    assert changed["dltEntityId"] == template["dltEntityId"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/prompts", {"name": "A", "content": "short"}, "content"),
        ("/prompts", {"content": "Remind them kindly."}, "name"),
        ("/sms-templates", {"name": "A", "content": "Dear {customer name}"}, "content"),
        ("/sms-templates", {"name": "A", "content": "x" * 2001}, "content"),
        ("/sms-templates", {"name": "A", "content": "x", "dltTemplateId": "a b"}, "dltTemplateId"),
        ("/session-settings", {"name": "A", "settings": {"turnTaking": {"endMs": 1}}}, "settings.turnTaking.endMs"),
        ("/agents", {**AGENT, "config": {**AGENT["config"], "promptId": new_id()}}, "config.promptId"),
        ("/agents", {**AGENT, "config": {**AGENT["config"], "smsTemplateId": "x"}}, "config.smsTemplateId"),
    ],
)
async def test_what_is_refused_is_named(client: Client, path: str, body: dict[str, Any], field: str) -> None:
    refused = await client.ask("POST", path, 400, json=body)
    assert [each["field"] for each in refused["error"]["details"]["fields"]] == [field]


async def test_an_agent_uses_a_prompt_which_is_kept_meanwhile(client: Client) -> None:
    prompt = (await client.ask("POST", "/prompts", 201, json=prompts.EXAMPLE))["data"]["prompt"]
    agent_id = await client.agent()
    change = {"config": {"promptId": prompt["rootId"]}}
    agent = (await client.ask("PUT", f"/agents/{agent_id}", json=change))["data"]["agent"]
    assert agent["config"]["promptId"] == prompt["rootId"]
    assert agent["config"]["sessionSettingsId"] is None
    await client.ask("DELETE", f"/prompts/{prompt['_id']}", 409)


async def test_a_call_log_names_the_versions_it_ran_with(client: Client) -> None:
    owner = client.house.principal.organization_id
    plain = await client.house.stores.calls.insert(a_call(owner))
    assert "versions" not in (await client.ask("GET", f"/calls/{plain.id}"))["data"]["call"]
    versions = Versions(prompt_id=new_id())
    call = await client.house.stores.calls.insert(a_call(owner, versions=versions, created_at=NOW))
    shown = (await client.ask("GET", f"/calls/{call.id}"))["data"]["call"]
    others = dict.fromkeys(("agentVersionId", "sessionSettingsId", "smsTemplateId"))
    assert shown["versions"] == {"promptId": versions.prompt_id, **others}


@dataclass
class Answering:
    """A model that says one thing, or fails: Llm."""

    says: str | ProviderError

    async def reply(
        self, messages: Sequence[Message], *, model: str, temperature: float, tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ReplyDelta, None]:
        """The one thing."""
        if isinstance(self.says, ProviderError):
            raise self.says
        yield ReplyDelta(self.says)


async def generated(client: Client, model: Answering) -> httpx.Response:
    """The answer of an API whose language model is this one."""
    api = build_api(replace(client.house.services, prompt_writer=PromptWriter(lambda: model)))
    headers = {"Authorization": client.http.headers["Authorization"]}
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
        return await http.post("/prompts/generate", json=prompts.TASK)


async def test_a_prompt_is_written_for_review_and_not_stored(client: Client) -> None:
    response = await generated(client, Answering("You are Tanya."))
    assert response.status_code == 200
    assert response.json()["data"] == {"prompt": {"name": "EMI reminder", "content": "You are Tanya."}}
    assert (await client.ask("GET", "/prompts"))["data"]["prompts"] == []


async def test_a_model_that_fails_is_a_bad_gateway(client: Client) -> None:
    response = await generated(client, Answering(ProviderError("openai is busy", provider="openai", retryable=True)))
    assert (response.status_code, response.json()["error"]["code"]) == (502, "EXTERNAL_SERVICE_ERROR")
