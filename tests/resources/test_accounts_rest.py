"""Roles, members, keys, logins and the audit log, as clients use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from models.document import new_id
from services.principal import Principal
from tests.documents import a_user
from tests.resources.conftest import PASSWORD, Client

pytestmark = pytest.mark.integration

FORBIDDEN = {
    "success": False,
    "error": {"code": "FORBIDDEN", "message": "You do not have permission to do this", "details": {}},
}


@contextmanager
def sending(client: Client, token: str) -> Iterator[None]:
    """With other credentials for a while."""
    before = client.http.headers["Authorization"]
    client.http.headers["Authorization"] = f"Bearer {token}"
    yield
    client.http.headers["Authorization"] = before


async def a_colleague(client: Client, role: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A member with this role, made through the API, and their tokens."""
    body = {"email": a_user(new_id()).email, "password": PASSWORD, "name": "Jane", "organizationRole": role}
    made = (await client.ask("POST", "/users", 201, json=body))["data"]["user"]
    login = (await client.ask("POST", "/auth/login", json={"email": body["email"], "password": PASSWORD}))["data"]
    assert login["user"]["organizationRole"] == role
    return made, login["tokens"]


async def a_key(client: Client, **fields: Any) -> dict[str, Any]:
    body = {"name": "CRM", "scope": "admin", **fields}
    key: dict[str, Any] = (await client.ask("POST", "/api-keys", 201, json=body))["data"]["apiKey"]
    return key


async def test_a_viewer_looks_and_touches_nothing(client: Client) -> None:
    agent_id = await client.agent()
    _, tokens = await a_colleague(client, "viewer")
    with sending(client, tokens["access"]):
        assert (await client.ask("GET", f"/agents/{agent_id}"))["data"]["agent"]["_id"] == agent_id
        for method, path in (
            ("DELETE", f"/agents/{agent_id}"),
            ("DELETE", "/phones/x"),
            ("POST", "/calls/x/end"),
            ("GET", "/users"),
            ("GET", "/api-keys"),
            ("GET", "/audit-log"),
        ):
            assert await client.ask(method, path, 403) == FORBIDDEN


async def test_members_over_the_api(client: Client) -> None:
    made, tokens = await a_colleague(client, "agent")
    assert made.keys() == {
        *("_id", "email", "name", "organizationRole", "isActive", "createdAt", "updatedAt"),
    }
    path = f"/users/{made['_id']}"
    changed = (await client.ask("PUT", path, json={"organizationRole": "manager", "name": "Jane Roe"}))["data"]["user"]
    assert (changed["organizationRole"], changed["name"]) == ("manager", "Jane Roe")
    with sending(client, tokens["access"]):
        assert (await client.ask("GET", "/users"))["data"]["pagination"]["total"] == 2
        await client.ask("PUT", path, 403, json={"organizationRole": "owner"})
    owner = client.house.principal.user_id
    last = await client.ask("PUT", f"/users/{owner}", 409, json={"organizationRole": "viewer"})
    assert last["error"]["message"] == "The organization needs an owner"
    await client.ask("POST", "/users", 400, json={"email": "x", "password": "short", "organizationRole": "king"})
    assert (await client.ask("DELETE", path))["message"] == "User deleted successfully"
    with sending(client, tokens["access"]):
        await client.ask("GET", "/agents", 401)
    await client.ask("DELETE", path, 404)
    assert [user["_id"] for user in (await client.ask("GET", "/users"))["data"]["users"]] == [owner]


async def test_keys_over_the_api(client: Client) -> None:
    key = await a_key(client, scope="read", rateLimit=1000)
    assert key.keys() == {"_id", "userId", "name", "scope", "prefix", "rateLimit", "createdAt", "key"}
    assert key["key"].startswith(key["prefix"])
    with sending(client, key["key"]):
        await client.ask("GET", "/agents")
        await client.ask("GET", "/auth/me")
        assert await client.ask("POST", "/agents", 403, json={}) == FORBIDDEN
        for path in ("/auth/logout", "/auth/password"):
            body = {"currentPassword": PASSWORD, "newPassword": PASSWORD}
            assert (await client.ask("POST", path, 403, json=body))["error"]["code"] == "FORBIDDEN"
    [listed] = (await client.ask("GET", "/api-keys"))["data"]["apiKeys"]
    assert listed == {**{k: v for k, v in key.items() if k != "key"}, "lastUsedAt": listed["lastUsedAt"]}
    assert await client.ask("DELETE", f"/api-keys/{key['_id']}") == {"success": True, "message": "API key revoked"}
    with sending(client, key["key"]):
        await client.ask("GET", "/agents", 401)
    await client.ask("DELETE", f"/api-keys/{key['_id']}", 404)
    await client.ask("POST", "/api-keys", 400, json={"name": "", "scope": "all", "rateLimit": 0})


async def test_refreshing_as_documented_rotating_and_replaying(client: Client) -> None:
    _, tokens = await a_colleague(client, "viewer")

    async def refresh(token: str, status: int = 200) -> dict[str, str]:
        answer = await client.ask("POST", "/auth/refresh", status, json={"refreshToken": token})
        return dict(answer.get("data", {}))

    for _ in range(2):
        first = await refresh(tokens["refresh"])
        assert first.keys() == {"access", "refresh"}
    second = await refresh(first["refresh"])
    with sending(client, second["access"]):
        await client.ask("GET", "/auth/me")
        await refresh(tokens["refresh"], 401)
        await client.ask("GET", "/auth/me", 401)


async def test_logging_out_and_changing_the_password(client: Client) -> None:
    made, here = await a_colleague(client, "viewer")
    credentials = {"email": made["email"], "password": PASSWORD}
    elsewhere = (await client.ask("POST", "/auth/login", json=credentials))["data"]["tokens"]
    with sending(client, here["access"]):
        body = {"currentPassword": "wrong", "newPassword": "EvenBetter456?"}
        refused = await client.ask("POST", "/auth/password", 400, json=body)
        assert refused["error"]["details"]["fields"] == [{"field": "currentPassword", "message": "Wrong password"}]
        await client.ask("POST", "/auth/password", json={**body, "currentPassword": PASSWORD})
        assert await client.ask("POST", "/auth/logout") == {"success": True, "message": "Logged out"}
        await client.ask("POST", "/auth/logout", 401)
    with sending(client, elsewhere["access"]):
        await client.ask("GET", "/auth/me", 401)
    await client.ask("POST", "/auth/login", 401, json=credentials)
    await client.ask("POST", "/auth/login", json={**credentials, "password": "EvenBetter456?"})


async def test_the_audit_log_says_who_did_what_from_where(client: Client) -> None:
    client.http.headers.update({"X-Forwarded-For": "198.51.100.7", "User-Agent": "dashboard/" + "1" * 300})
    agent_id = await client.agent()
    change = {"name": "B", "config": {"prompt": "A secret prompt."}}
    changed = (await client.ask("PUT", f"/agents/{agent_id}", json=change))["data"]["agent"]
    key = await a_key(client)
    with sending(client, key["key"]):
        copied = (await client.ask("POST", f"/agents/{agent_id}/duplicate", 201))["data"]["agent"]
        await client.ask("DELETE", f"/agents/{copied['_id']}")
    log = (await client.ask("GET", "/audit-log"))["data"]
    actions = [record["action"] for record in log["records"]]
    assert actions == ["agent.delete", "agent.duplicate", "api-key.create", "agent.update", "agent.create"]
    latest, update = log["records"][0], log["records"][3]
    assert latest.keys() == {
        *("_id", "userId", "keyId", "action", "subject", "subjectId", "details", "ip", "userAgent", "createdAt"),
    }
    assert (latest["keyId"], latest["ip"], len(latest["userAgent"])) == (key["_id"], "198.51.100.7", 200)
    details = {"fields": ["config.prompt", "name"], "versionId": changed["versionId"], "version": 2}
    assert update["details"] == details
    assert "secret" not in str(log)
    today, user_id = latest["createdAt"][:10], client.house.principal.user_id
    for query, total in {
        f"subject=agent&subjectId={agent_id}": 2,
        "subject=api-key": 1,
        "subject=phone": 0,
        f"userId={user_id}&fromDate={today}&toDate={today}": 5,
        f"userId={new_id()}": 0,
        "toDate=2024-01-01": 0,
    }.items():
        found = (await client.ask("GET", f"/audit-log?{query}"))["data"]["pagination"]["total"]
        assert found == total, query
    await client.ask("GET", "/audit-log?subject=weather", 400)
    tenant = await client.house.tenant()
    await client.become(Principal(new_id(), tenant.organization_id))
    assert (await client.ask("GET", "/audit-log"))["data"]["records"] == []
