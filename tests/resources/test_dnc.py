"""/dnc over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models.document import new_id
from services.logins import Logins
from tests.documents import a_user
from tests.resources.conftest import Client

pytestmark = pytest.mark.integration

NUMBER = "+919876543210"


async def added(client: Client, number: str = NUMBER, **fields: Any) -> dict[str, Any]:
    """A number just put on a list."""
    body = {"number": number, **fields}
    entry: dict[str, Any] = (await client.ask("POST", "/dnc", 201, json=body))["data"]["entry"]
    return entry


async def blocked(client: Client, *numbers: str) -> set[str]:
    """Which of them the tenant must not call."""
    return await client.house.services.dnc.blocked(client.house.principal.organization_id, numbers)


async def run_the_installation(client: Client) -> None:
    """Become somebody who does."""
    user = a_user(client.house.principal.organization_id, role="admin", organization_role="owner")
    await client.house.stores.users.insert(user)
    tokens = await Logins(client.house.settings, client.house.stores).begin(user, datetime.now(UTC))
    client.http.headers["Authorization"] = f"Bearer {tokens.access}"


async def test_a_number_is_listed_found_and_taken_off(client: Client) -> None:
    entry = await added(client, "+91 98765 43210", reason="Asked us not to")
    assert entry.keys() == {"_id", "number", "reason", "scope", "addedBy", "createdAt"}
    assert (entry["number"], entry["reason"], entry["scope"]) == (NUMBER, "Asked us not to", "organization")
    other = await added(client, "+919876543211")
    listed = (await client.ask("GET", "/dnc?limit=1"))["data"]
    assert (listed["entries"], listed["pagination"]["total"]) == ([other], 2)
    found = (await client.ask("GET", "/dnc", params={"number": "+91 98765-43210"}))["data"]["entries"]
    assert found == [entry]
    assert await blocked(client, NUMBER, "+919876543212") == {NUMBER}
    done = await client.ask("DELETE", f"/dnc/{entry['_id']}")
    assert done == {"success": True, "message": "Number removed from the do-not-call list"}
    await client.ask("DELETE", f"/dnc/{entry['_id']}", 404)
    assert await blocked(client, NUMBER) == set()


async def test_a_number_is_on_the_list_once(client: Client) -> None:
    await added(client)
    error = (await client.ask("POST", "/dnc", 409, json={"number": NUMBER}))["error"]
    assert (error["code"], error["message"]) == ("DUPLICATE_RESOURCE", "The number is on the list already")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/dnc", {"number": "12"}),
        ("POST", "/dnc", {}),
        ("POST", "/dnc", {"number": NUMBER, "scope": "everywhere"}),
        ("POST", "/dnc", {"number": NUMBER, "reason": "x" * 201}),
        ("POST", "/dnc/bulk", {"numbers": []}),
        ("POST", "/dnc/bulk", {"numbers": [NUMBER], "region": "India"}),
        ("GET", "/dnc?number=12", None),
        ("GET", "/dnc?scope=everywhere", None),
    ],
)
async def test_what_cannot_be_is_refused(client: Client, method: str, path: str, body: dict[str, Any] | None) -> None:
    error = (await client.ask(method, path, 400, json=body))["error"]
    assert error["code"] == "VALIDATION_ERROR"


async def test_many_are_added_and_each_that_is_not_is_accounted_for(client: Client) -> None:
    await added(client)
    numbers = [NUMBER, "98765 43211", "nobody", "9876543211", "+14155550123"]
    body = {"numbers": numbers, "region": "IN", "reason": "National registry"}
    data = (await client.ask("POST", "/dnc/bulk", json=body))["data"]
    assert data == {
        "added": 2,
        "alreadyListed": 2,
        "problems": [{"field": "numbers.2", "message": "Must be a phone number"}],
    }
    assert await blocked(client, "+919876543211", "+14155550123") == {"+919876543211", "+14155550123"}


async def test_the_installations_list_is_for_those_who_run_it(client: Client) -> None:
    number = f"+9198{int(new_id()[-6:], 16) % 10**8:08d}"
    for method, path, body in (
        ("POST", "/dnc", {"number": number, "scope": "global"}),
        ("POST", "/dnc/bulk", {"numbers": [number], "scope": "global"}),
        ("GET", "/dnc?scope=global", None),
        ("DELETE", f"/dnc/{new_id()}?scope=global", None),
    ):
        await client.ask(method, path, 403, json=body)
    await run_the_installation(client)
    entry = await added(client, number, scope="global")
    assert entry["scope"] == "global"
    assert await client.house.services.dnc.blocked(new_id(), [number]) == {number}
    found = (await client.ask("GET", "/dnc", params={"scope": "global", "number": number}))["data"]["entries"]
    assert found == [entry]
    await client.ask("DELETE", f"/dnc/{entry['_id']}", 404)
    await client.ask("DELETE", f"/dnc/{entry['_id']}?scope=global")
    assert await blocked(client, number) == set()


async def test_lists_of_others_are_not_seen_and_not_changed(client: Client) -> None:
    entry = await added(client)
    await client.become(await client.house.tenant())
    assert (await client.ask("GET", "/dnc"))["data"]["entries"] == []
    await client.ask("DELETE", f"/dnc/{entry['_id']}", 404)
    assert await blocked(client, NUMBER) == {NUMBER}
    await added(client)


async def test_changes_are_on_record_without_numbers(client: Client) -> None:
    entry = await added(client)
    await client.ask("POST", "/dnc/bulk", json={"numbers": ["+919876543211"]})
    await client.ask("DELETE", f"/dnc/{entry['_id']}")
    records = (await client.ask("GET", "/audit-log?subject=do-not-call"))["data"]["records"]
    assert [record["action"] for record in records] == ["do-not-call.remove", "do-not-call.add-many", "do-not-call.add"]
    assert "98765" not in str([record["details"] for record in records])
