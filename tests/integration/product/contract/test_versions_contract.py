"""Prompts, session settings, SMS templates and agents in their versions: ours, in the public document's conventions."""

from dataclasses import dataclass
from typing import Any

import pytest

from serve_app.resources import prompts, session_settings, sms_templates
from simulators.llm import LlmServer
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.document import (
    AGENT,
    AGENT_VERSION,
    PROMPT,
    SESSION_SETTINGS,
    SMS_TEMPLATE,
    page_of,
)
from tests.integration.product.contract.shapes import Shape, text

pytestmark = pytest.mark.integration

WRITTEN = Shape({"prompt": Shape({"name": text, "content": text})})


@dataclass(frozen=True)
class Kind:
    """One of the three, by the words of its answers."""

    path: str
    parameter: str
    one: str
    many: str
    shape: Shape
    example: dict[str, Any]
    change: dict[str, Any]

    @property
    def placeholder(self) -> str:
        """`prompts/{prompt_id}`."""
        return f"{self.path[1:]}/{{{self.parameter}}}"

    async def ask(self, client: Client, method: str, below: str = "", body: Any = None, status: int = 200) -> Any:
        """The one thing in an answer."""
        data = Shape({self.one: self.shape})
        return (await client.answer(method, f"{self.path}{below}", body, status=status, data=data))[self.one]

    async def listed(self, client: Client, below: str = "") -> Any:
        """The things in an answer."""
        data = page_of(self.many, self.shape)
        return (await client.answer("GET", f"{self.path}{below}", data=data))[self.many]

    async def made(self, client: Client) -> Any:
        """A new one."""
        return await self.ask(client, "POST", body=self.example, status=201)


KINDS = (
    Kind("/prompts", "prompt_id", "prompt", "prompts", PROMPT, prompts.EXAMPLE, {"content": "Remind them firmly."}),
    Kind(
        "/session-settings",
        "settings_id",
        "sessionSettings",
        "sessionSettings",
        SESSION_SETTINGS,
        session_settings.EXAMPLE,
        {"settings": {"turnTaking": {"endMs": 900}}},
    ),
    Kind(
        "/sms-templates",
        "template_id",
        "smsTemplate",
        "smsTemplates",
        SMS_TEMPLATE,
        sms_templates.EXAMPLE,
        {"content": "Hello {customer_name}"},
    ),
)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.one for kind in KINDS])
async def test_the_life_of_a_thing(client: Client, kind: Kind) -> None:
    first = await kind.made(client)
    root = f"/{first['rootId']}"
    second = await kind.ask(client, "PUT", root, kind.change)
    assert (second["version"], second["previousId"], second["isActive"]) == (2, first["_id"], True)
    assert (await kind.ask(client, "GET", root))["_id"] == second["_id"]
    assert (await kind.ask(client, "POST", f"/{first['_id']}/activate"))["isActive"] is True
    versions = await kind.listed(client, f"{root}/versions")
    assert [(each["version"], each["isActive"]) for each in versions] == [(2, False), (1, True)]
    assert first["_id"] in [each["_id"] for each in await kind.listed(client)]
    await client.done("DELETE", f"{kind.path}{root}")
    for any_id in (first["rootId"], first["_id"], second["_id"]):
        await client.refusal(404, "GET", f"{kind.path}/{any_id}")


async def test_the_versions_of_an_agent(client: Client) -> None:
    path = f"/agents/{await client.agent()}"
    first = (await client.answer("GET", path))["agent"]
    change = {"name": "Renamed", "isActive": False}
    second = (await client.answer("PUT", path, change, data=Shape({"agent": AGENT})))["agent"]
    assert (first["version"], second["version"], second["isActive"]) == (1, 2, False)
    found = await client.answer("GET", f"{path}/versions", data=page_of("versions", AGENT_VERSION))
    assert [(each["_id"], each["previousId"], each["isActive"]) for each in found["versions"]] == [
        (second["versionId"], first["versionId"], True),
        (first["versionId"], None, False),
    ]
    place = f"{path}/versions/{first['versionId']}"
    one = (await client.answer("GET", place, data=Shape({"version": AGENT_VERSION})))["version"]
    assert (one["name"], one["config"]) == (first["name"], first["config"])
    back = (await client.answer("POST", f"{place}/activate", data=Shape({"agent": AGENT})))["agent"]
    same = ("_id", "name", "config", "isActive", "version", "versionId")
    assert [back[field] for field in same] == [first[field] for field in same]
    await client.done("DELETE", path)
    await client.refusal(404, "GET", place)


async def test_two_default_settings_are_always_there(client: Client) -> None:
    (kind,) = [kind for kind in KINDS if kind.one == "sessionSettings"]
    defaults = [each for each in await kind.listed(client) if each["isDefault"]]
    assert sorted(each["name"] for each in defaults) == ["Patient", "Standard"]
    for each in defaults:
        await client.refusal(409, "DELETE", f"{kind.path}/{each['rootId']}")


async def test_a_prompt_is_written_by_the_model_and_not_stored(client: Client, llm: LlmServer) -> None:
    before = (await client.answer("GET", "/prompts"))["pagination"]["total"]
    await client.answer("POST", "/prompts/generate", prompts.TASK, data=WRITTEN)
    assert len(llm.requests) == 1
    assert (await client.answer("GET", "/prompts"))["pagination"]["total"] == before
