"""Every secured operation, asked by every role and through every kind of key: 403 exactly where it should be.

Who may do what is written down here once more, by hand, so that a slip in the product's own table shows.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from models.document import new_id
from models.settings import Settings
from tests.integration.product.contract.accounts import insert_account, log_in
from tests.integration.product.contract.client import Client, open_account
from tests.integration.product.contract.operations import Operation, operations
from tests.integration.product.customer import PASSWORD

pytestmark = pytest.mark.integration

NOWHERE = "64f8a1b2c3d4e5f6a7b8c9d9"

EVERYBODY = {"viewer", "agent", "manager", "admin", "owner", "installation", "read key", "write key", "admin key"}
CALLERS = EVERYBODY - {"viewer", "read key"}
WRITERS = CALLERS - {"agent"}
BOOKKEEPERS = WRITERS | {"read key"}
LEADERS = WRITERS - {"write key"}
RULERS = LEADERS - {"manager"}
PEOPLE = EVERYBODY - {"read key", "write key", "admin key"}

MAY: dict[str, set[str]] = {
    "GET /auth/me": EVERYBODY,
    "POST /auth/logout": PEOPLE,
    "POST /auth/password": PEOPLE,
    "GET /agents": EVERYBODY,
    "POST /agents": WRITERS,
    "GET /agents/{agent_id}": EVERYBODY,
    "PUT /agents/{agent_id}": WRITERS,
    "DELETE /agents/{agent_id}": WRITERS,
    "POST /agents/{agent_id}/duplicate": WRITERS,
    "GET /agents/{agent_id}/versions": EVERYBODY,
    "GET /agents/{agent_id}/versions/{version_id}": EVERYBODY,
    "POST /agents/{agent_id}/versions/{version_id}/activate": WRITERS,
    "GET /phones": EVERYBODY,
    "POST /phones/import": WRITERS,
    "PUT /phones/{phone_id}/agent": WRITERS,
    "PUT /phones/{phone_id}/tags": WRITERS,
    "DELETE /phones/{phone_id}": WRITERS,
    "POST /calls/outbound": CALLERS,
    "GET /calls": EVERYBODY,
    "GET /calls/{call_id}": EVERYBODY,
    "GET /calls/{call_id}/timeline": EVERYBODY,
    "POST /calls/{session_id}/end": CALLERS,
    "PATCH /calls/{call_id}/disposition": CALLERS,
    "GET /schedules": EVERYBODY,
    "POST /schedules": CALLERS,
    "GET /schedules/{schedule_id}": EVERYBODY,
    "GET /schedules/{schedule_id}/occurrences": EVERYBODY,
    "PUT /schedules/{schedule_id}": CALLERS,
    "DELETE /schedules/{schedule_id}": CALLERS,
    "GET /campaigns": EVERYBODY,
    "POST /campaigns": WRITERS,
    "GET /campaigns/{campaign_id}": EVERYBODY,
    "PUT /campaigns/{campaign_id}": WRITERS,
    "DELETE /campaigns/{campaign_id}": WRITERS,
    "POST /campaigns/{campaign_id}/start": WRITERS,
    "POST /campaigns/{campaign_id}/pause": WRITERS,
    "POST /campaigns/{campaign_id}/resume": WRITERS,
    "POST /campaigns/{campaign_id}/stop": WRITERS,
    "GET /campaigns/{campaign_id}/calls": EVERYBODY,
    "GET /campaigns/{campaign_id}/contacts": EVERYBODY,
    "POST /campaigns/{campaign_id}/contacts": WRITERS,
    "POST /campaigns/{campaign_id}/contacts/import": WRITERS,
    "GET /campaigns/{campaign_id}/contacts/{contact_id}": EVERYBODY,
    "DELETE /campaigns/{campaign_id}/contacts/{contact_id}": WRITERS,
    "GET /dashboard/stats": EVERYBODY,
    "GET /billing/balance": BOOKKEEPERS,
    "GET /billing/ledger": BOOKKEEPERS,
    "POST /billing/credits": {"installation"},
    "GET /users": LEADERS,
    "POST /users": RULERS,
    "PUT /users/{user_id}": RULERS,
    "DELETE /users/{user_id}": RULERS,
    "GET /api-keys": RULERS,
    "POST /api-keys": RULERS,
    "DELETE /api-keys/{key_id}": RULERS,
    "GET /audit-log": RULERS,
    "GET /dnc": EVERYBODY,
    "POST /dnc": WRITERS,
    "POST /dnc/bulk": WRITERS,
    "DELETE /dnc/{entry_id}": WRITERS,
    "GET /prompts": EVERYBODY,
    "POST /prompts": WRITERS,
    "POST /prompts/generate": WRITERS,
    "GET /prompts/{prompt_id}": EVERYBODY,
    "PUT /prompts/{prompt_id}": WRITERS,
    "DELETE /prompts/{prompt_id}": WRITERS,
    "POST /prompts/{prompt_id}/activate": WRITERS,
    "GET /prompts/{prompt_id}/versions": EVERYBODY,
    "GET /session-settings": EVERYBODY,
    "POST /session-settings": WRITERS,
    "GET /session-settings/{settings_id}": EVERYBODY,
    "PUT /session-settings/{settings_id}": WRITERS,
    "DELETE /session-settings/{settings_id}": WRITERS,
    "POST /session-settings/{settings_id}/activate": WRITERS,
    "GET /session-settings/{settings_id}/versions": EVERYBODY,
    "GET /sms-messages": EVERYBODY,
    "GET /sms-messages/{message_id}": EVERYBODY,
    "GET /sms-templates": EVERYBODY,
    "POST /sms-templates": WRITERS,
    "GET /sms-templates/{template_id}": EVERYBODY,
    "PUT /sms-templates/{template_id}": WRITERS,
    "DELETE /sms-templates/{template_id}": WRITERS,
    "POST /sms-templates/{template_id}/activate": WRITERS,
    "GET /sms-templates/{template_id}/versions": EVERYBODY,
    "GET /webhook-events": WRITERS,
    "GET /webhook-endpoints": WRITERS,
    "POST /webhook-endpoints": WRITERS,
    "GET /webhook-endpoints/{endpoint_id}": WRITERS,
    "PUT /webhook-endpoints/{endpoint_id}": WRITERS,
    "DELETE /webhook-endpoints/{endpoint_id}": WRITERS,
    "POST /webhook-endpoints/{endpoint_id}/test": WRITERS,
    "GET /webhook-endpoints/{endpoint_id}/logs": WRITERS,
    "POST /webhook-endpoints/{endpoint_id}/logs/{delivery_id}/replay": WRITERS,
    "POST /webhook-endpoints/{endpoint_id}/replay": WRITERS,
}

HARMLESS: dict[str, Any] = {
    "POST /auth/password": {"currentPassword": "not it", "newPassword": "a long password"},
    "POST /auth/logout": {"everywhere": "neither yes nor no"},
}
"""What is sent where an empty object would say nothing, or do something."""


async def one_of_each(api_url: str, platform: Settings) -> dict[str, str]:
    """The tokens of one asker of each kind, of one organization but for the administrator of the installation."""
    async with httpx.AsyncClient(base_url=api_url, timeout=30.0, verify=False) as http:
        owner = Client(http, open_account(api_url, "owner").access)
        tokens = {"owner": owner.token, "installation": (await insert_account(platform, http, "admin")).access}
        for role in ("viewer", "agent", "manager", "admin"):
            tokens[role] = (await member(owner, role))[0]
        for scope in ("read", "write", "admin"):
            key = await owner.answer("POST", "/api-keys", {"name": scope, "scope": scope}, status=201)
            tokens[f"{scope} key"] = key["apiKey"]["key"]
    return tokens


async def member(owner: Client, role: str) -> tuple[str, str]:
    """A new member's token and id."""
    body = {"email": f"{new_id()}@example.com", "password": PASSWORD, "organizationRole": role}
    made = (await owner.answer("POST", "/users", body, status=201))["user"]
    return (await log_in(owner.http, body["email"])).access, made["_id"]


@pytest.fixture(scope="module")
def tokens(api_url: str, platform: Settings) -> dict[str, str]:
    """One of each kind for this file."""
    return asyncio.run(one_of_each(api_url, platform))


@pytest.fixture
def askers(http: httpx.AsyncClient, tokens: dict[str, str]) -> dict[str, Client]:
    """They, asking."""
    return {who: Client(http, token) for who, token in tokens.items()}


async def test_each_role_may_do_what_it_should_and_no_more(
    askers: dict[str, Client], say: Callable[[str], None]
) -> None:
    found = [operation for operation in await operations(askers["owner"].http) if operation.is_secured]
    assert {operation.name for operation in found} == MAY.keys()
    answers = [(each.name, who, await ask(who, client, each)) for each in found for who, client in askers.items()]
    assert [answer for answer in answers if answer[2] in (401, 429) or answer[2] >= 500] == []
    assert [answer for answer in answers if (answer[2] == 403) is (answer[1] in MAY[answer[0]])] == []
    say(f"roles walk: {len(found)} operations, {len(askers)} kinds of asker, {len(answers)} answers as expected")


async def ask(who: str, client: Client, operation: Operation) -> int:
    """The status of a request that only a missing permission refuses with 403: about nothing, or lacking something."""
    path = operation.at(dict.fromkeys(operation.placeholders, NOWHERE))
    body = None if operation.method in ("GET", "DELETE") else HARMLESS.get(operation.name, {})
    if operation.name == "POST /auth/logout" and who not in PEOPLE:
        body = {}
    return (await client.send(operation.method, path, body)).status_code


async def test_nobody_makes_somebody_of_more_than_themselves(askers: dict[str, Client]) -> None:
    admin, owner = askers["admin"], askers["owner"]
    newcomer = {"email": "n@example.com", "password": PASSWORD}
    await admin.refusal(403, "POST", "/users", newcomer | {"organizationRole": "owner"})
    members = (await owner.answer("GET", "/users?limit=100"))["users"]
    ids = {member["organizationRole"]: member["_id"] for member in members}
    for change in ({"organizationRole": "viewer"}, {"isActive": False}, {"name": "X"}):
        await admin.refusal(403, "PUT", f"/users/{ids['owner']}", change)
    await admin.refusal(403, "PUT", f"/users/{ids['admin']}", {"organizationRole": "owner"})
    await admin.refusal(403, "DELETE", f"/users/{ids['owner']}")
    await owner.refusal(409, "DELETE", f"/users/{ids['owner']}")


async def test_a_role_that_is_taken_away_is_gone_at_once(askers: dict[str, Client]) -> None:
    owner = askers["owner"]
    token, user_id = await member(owner, "manager")
    leader = Client(owner.http, token)
    assert (await leader.send("POST", "/agents", {})).status_code == 400
    await owner.answer("PUT", f"/users/{user_id}", {"organizationRole": "viewer"})
    await leader.refusal(403, "POST", "/agents", {})
    assert await owner.done("DELETE", f"/users/{user_id}") == "User deleted successfully"
    await leader.refusal(401, "GET", "/agents")
