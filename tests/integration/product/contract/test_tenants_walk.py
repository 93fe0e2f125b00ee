"""Every route of the running product, asked with another tenant's ids: nothing is shown, nothing is changed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from models.document import Id
from services.sms_rules import message_id
from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client, open_account
from tests.integration.product.contract.conftest import RINGING
from tests.integration.product.contract.operations import Operation, operations
from tests.integration.product.contract.test_versions_contract import KINDS
from tests.integration.product.customer import ACCOUNT, CALLER, PASSWORD, agent_body

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Tenant:
    """Somebody with one of everything, and its ids."""

    client: Client
    user_id: str
    agent_id: str
    agent_version_id: str
    phone: dict[str, Any]
    call: dict[str, Any]
    key_id: str
    webhook_id: str
    delivery_id: str
    schedule_id: str
    dnc_id: str
    campaign_id: str
    contact_id: str
    versioned: dict[str, str]
    """The ids of things with versions, by placeholder."""

    @property
    def ids(self) -> dict[str, str]:
        """An id for every placeholder there is."""
        return {
            "agents/{agent_id}": self.agent_id,
            "versions/{version_id}": self.agent_version_id,
            "phones/{phone_id}": self.phone["_id"],
            "calls/{call_id}": self.call["_id"],
            "calls/{session_id}": self.call["sessionId"],
            "users/{user_id}": self.user_id,
            "api-keys/{key_id}": self.key_id,
            "webhook-endpoints/{endpoint_id}": self.webhook_id,
            "logs/{delivery_id}": self.delivery_id,
            "schedules/{schedule_id}": self.schedule_id,
            "sms-messages/{message_id}": message_id(Id(self.call["_id"])),
            "dnc/{entry_id}": self.dnc_id,
            "campaigns/{campaign_id}": self.campaign_id,
            "contacts/{contact_id}": self.contact_id,
            **self.versioned,
        }

    @property
    def secrets(self) -> list[str]:
        """What no answer to anybody else may contain."""
        return [*self.ids.values(), self.phone["number"], self.call["exotelCallSid"]]

    async def everything(self) -> list[Any]:
        """All that the tenant sees of itself."""
        one_by_one = [f"/agents/{self.agent_id}", f"/calls/{self.call['_id']}", f"/campaigns/{self.campaign_id}"]
        lists = ["/agents", "/phones", "/users", "/billing/ledger", "/audit-log", "/dnc"]
        paths = (*one_by_one, *lists, *(kind.path for kind in KINDS))
        return [await self.client.answer("GET", path) for path in paths]


async def a_tenant(http: httpx.AsyncClient, api_url: str, name: str) -> Tenant:
    """A tenant with a live call. The number of the call begins a name that searches find."""
    account = open_account(api_url, name)
    client = Client(http, account.access)
    webhook_id = await client.webhook()
    agent_id = await client.agent()
    agent = (await client.answer("GET", f"/agents/{agent_id}"))["agent"]
    phone = await client.phone(agent_id)
    order = {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id}
    placed = (await client.answer("POST", "/calls/outbound", order, status=201))["call"]
    call = placed | await until_ringing(client, placed["_id"])
    key = {"name": "Program", "scope": "admin"}
    made = (await client.answer("POST", "/api-keys", key, status=201))["apiKey"]
    told = (await client.answer("GET", f"/webhook-endpoints/{webhook_id}/logs"))["deliveries"]
    later = order | {"localTime": "2034-01-15T14:00:00", "timezone": "Asia/Kolkata"}
    schedule_id = (await client.answer("POST", "/schedules", later, status=201))["schedule"]["_id"]
    kept_from = (await client.answer("POST", "/dnc", {"number": "+919123400000"}, status=201))["entry"]
    campaign_id = (await client.campaign())["_id"]
    [contact] = (await client.answer("GET", f"/campaigns/{campaign_id}/contacts"))["contacts"]
    ids = made["_id"], webhook_id, told[0]["_id"], schedule_id, kept_from["_id"], campaign_id, contact["_id"]
    versioned = {kind.placeholder: (await kind.made(client))["_id"] for kind in KINDS}
    return Tenant(client, account.user["_id"], agent_id, agent["versionId"], phone, call, *ids, versioned)


async def until_ringing(client: Client, call_id: str) -> dict[str, Any]:
    """The call once the carrier has rung, after which nothing happens to it by itself."""
    async with asyncio.timeout(20):
        while True:
            call: dict[str, Any] = (await client.answer("GET", f"/calls/{call_id}"))["call"]
            if call["status"] == "ringing":
                return call
            await asyncio.sleep(0.05)


BODIES: dict[str, dict[str, Any]] = {
    "PUT /agents/{agent_id}": {"name": "Taken over"},
    "POST /agents/{agent_id}/duplicate": {"name": "Taken over"},
    "PUT /phones/{phone_id}/tags": {"tags": ["taken"]},
    "POST /calls/{session_id}/end": {"reason": "because"},
    "PATCH /calls/{call_id}/disposition": {"name": "Taken over"},
    "PUT /campaigns/{campaign_id}": {"name": "Taken over"},
    **{f"POST /campaigns/{{campaign_id}}/{verb}": {} for verb in ("start", "pause", "resume", "stop")},
    "POST /campaigns/{campaign_id}/contacts": {"contacts": [{"number": "+919123499999"}]},
    "POST /campaigns/{campaign_id}/contacts/import": {},
    "PUT /prompts/{prompt_id}": {"name": "Taken over"},
    "PUT /session-settings/{settings_id}": {"name": "Taken over"},
    "PUT /sms-templates/{template_id}": {"name": "Taken over"},
    "PUT /users/{user_id}": {"name": "Taken over", "isActive": False},
    "PUT /webhook-endpoints/{endpoint_id}": {"isActive": False},
    "PUT /schedules/{schedule_id}": {"notes": "Taken over"},
}
"""Bodies that would be right for the tenant itself; a route with a placeholder and a body has one."""

LISTED = {"limit": "100"}

SIGNED: dict[str, set[int]] = {"GET /calls/{call_id}/recording": {401}}
"""Routes that a token in the address opens, and what they say to the token of another's."""


def body_for(operation: Operation, mine: Tenant) -> dict[str, Any] | None:
    """What to send; the agent to assign is the sender's own, so that only the phone is another's."""
    if operation.name == "PUT /phones/{phone_id}/agent":
        return {"agentId": mine.agent_id}
    assert ("requestBody" in operation.about) == (operation.name in BODIES), operation.name
    return BODIES.get(operation.name)


@pytest.fixture
async def tenants(http: httpx.AsyncClient, api_url: str, carrier: Carrier) -> tuple[Tenant, Tenant]:
    """Two who know nothing of each other."""
    carrier.plans.default = RINGING
    return await a_tenant(http, api_url, "mine"), await a_tenant(http, api_url, "theirs")


async def test_no_route_opens_another_tenants_things(
    tenants: tuple[Tenant, Tenant], say: Callable[[str], None]
) -> None:
    mine, theirs = tenants
    before = await theirs.everything()
    tried, by_id = 0, 0
    for operation in await operations(mine.client.http):
        if operation.placeholders:
            path = operation.at(theirs.ids)
            query = {"token": mine.client.token[:24]} if operation.name in SIGNED else {}
            body = body_for(operation, mine)
            response = await mine.client.send(operation.method, path, body, params=query)
            assert response.status_code in SIGNED.get(operation.name, {404}), (operation.name, response.text)
            by_id += 1
        elif operation.method == "GET" and operation.is_secured:
            response = await mine.client.send("GET", operation.path, params=LISTED)
            assert response.status_code == 200, (operation.name, response.text)
        else:
            continue
        tried += 1
        assert [secret for secret in theirs.secrets if secret in response.text] == [], operation.name
    after = await theirs.everything()
    assert after == before
    say(f"cross-tenant walk: {tried} (route, method) pairs tried, {by_id} of them by another's id: all refused")
    assert by_id >= 13
    assert tried >= 22


async def test_no_body_and_no_filter_reaches_another_tenants_things(tenants: tuple[Tenant, Tenant]) -> None:
    mine, theirs = tenants
    before = await theirs.everything()
    order = {"fromPhone": mine.phone["number"], "toPhone": CALLER, "agentId": mine.agent_id}
    for method, path, body in (
        ("PUT", f"/phones/{mine.phone['_id']}/agent", {"agentId": theirs.agent_id}),
        ("POST", "/calls/outbound", order | {"agentId": theirs.agent_id}),
        ("POST", "/calls/outbound", order | {"fromPhone": theirs.phone["number"]}),
    ):
        await mine.client.refusal(404, method, path, body)
    for path in (
        f"/calls?agentId={theirs.agent_id}",
        f"/billing/ledger?callId={theirs.call['_id']}",
        f"/audit-log?userId={theirs.user_id}",
        f"/audit-log?subjectId={theirs.agent_id}",
    ):
        found = await mine.client.answer("GET", path)
        assert found["pagination"]["total"] == 0, path
    body = {"type": "top-up", "amount": 1, "reason": "mine", "organizationId": theirs.agent_id}
    await mine.client.refusal(403, "POST", "/billing/credits", body)
    imported = {"number": theirs.phone["number"], "country": "IN", "exotelConfig": ACCOUNT}
    error = await mine.client.refusal(409, "POST", "/phones/import", imported)
    assert theirs.phone["_id"] not in str(error)
    assert await theirs.everything() == before


async def test_forged_owners_in_a_body_are_ignored(tenants: tuple[Tenant, Tenant]) -> None:
    """A body that names another organization makes something of one's own all the same."""
    mine, theirs = tenants
    organization = (await theirs.client.answer("GET", "/users"))["users"][0]["_id"]
    forged = {"organizationId": organization, "userId": theirs.user_id, "_id": theirs.agent_id, "isDeleted": False}
    made = (await mine.client.answer("POST", "/agents", agent_body() | forged, status=201))["agent"]
    assert (made["userId"], made["_id"] != theirs.agent_id) == (mine.user_id, True)
    await theirs.client.refusal(404, "GET", f"/agents/{made['_id']}")
    patch = {"name": "Mine", "organizationId": organization, "userId": theirs.user_id}
    await mine.client.answer("PUT", f"/agents/{made['_id']}", patch)
    await mine.client.answer("GET", f"/agents/{made['_id']}")


async def test_a_member_of_another_organization_cannot_be_taken_in(tenants: tuple[Tenant, Tenant]) -> None:
    mine, theirs = tenants
    email = (await theirs.client.answer("GET", "/auth/me"))["user"]["email"]
    member = {"email": email, "password": PASSWORD, "organizationRole": "agent"}
    await mine.client.refusal(409, "POST", "/users", member)
