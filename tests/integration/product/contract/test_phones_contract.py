"""/phones as documented, over HTTP."""

from typing import Any

import pytest

from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.document import PHONE, page_of
from tests.integration.product.contract.shapes import Shape
from tests.integration.product.customer import ACCOUNT, Account, import_body

pytestmark = pytest.mark.integration

ONE = Shape({"phone": PHONE})
NOBODYS = "64f8a1b2c3d4e5f6a7b8c9d2"


async def test_a_number_is_imported(client: Client, carrier: Carrier) -> None:
    body = import_body()
    phone = (await client.answer("POST", "/phones/import", body, status=201, data=ONE))["phone"]
    assert {name: phone[name] for name in ("number", "country", "provider", "status", "tags")} == {
        "number": body["number"],
        "country": "IN",
        "provider": "exotel",
        "status": "active",
        "tags": [],
    }
    assert phone["exotelData"] == {"sid": "demo"}
    assert "demo-token" not in str(phone)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"number": "12"}, "number"),
        ({"number": None}, "number"),
        ({"country": "India"}, "country"),
        ({"exotelConfig": {**ACCOUNT, "apiKey": ""}}, "exotelConfig.apiKey"),
        ({"exotelConfig": {**ACCOUNT, "apiToken": "a b"}}, "exotelConfig.apiToken"),
        ({"exotelConfig": {**ACCOUNT, "sid": "../x"}}, "exotelConfig.sid"),
        ({"exotelConfig": {**ACCOUNT, "subdomain": "evil.example/"}}, "exotelConfig.subdomain"),
    ],
)
async def test_an_import_is_validated(client: Client, fields: dict[str, Any], field: str) -> None:
    assert (await client.fields("POST", "/phones/import", import_body() | fields)).keys() == {field}
    for missing in ("number", "country", "exotelConfig"):
        body = {name: value for name, value in import_body().items() if name != missing}
        assert (await client.fields("POST", "/phones/import", body)).keys() == {missing}


async def test_an_import_with_wrong_credentials_is_refused(client: Client, carrier: Carrier) -> None:
    wrong = import_body() | {"exotelConfig": {**ACCOUNT, "apiToken": "not-the-token"}}
    await client.refusal(400, "POST", "/phones/import", wrong)
    listed = (await client.answer("GET", "/phones?limit=100"))["phones"]
    assert wrong["number"] not in [phone["number"] for phone in listed]


async def test_a_number_belongs_to_one_account_only(client: Client, stranger: Account, carrier: Carrier) -> None:
    body = import_body()
    await client.answer("POST", "/phones/import", body, status=201)
    for other in (client, Client(client.http, stranger.access)):
        await other.refusal(409, "POST", "/phones/import", body)


async def test_phones_are_listed_by_status_and_paged(http: Any, stranger: Account, carrier: Carrier) -> None:
    client = Client(http, stranger.access)
    agent_id = await client.agent()
    first, second = await client.phone(), await client.phone(agent_id)
    shape = page_of("phones", PHONE)
    found = await client.answer("GET", "/phones?status=active", data=shape)
    assert [phone["_id"] for phone in found["phones"]] == [second["_id"], first["_id"]]
    assert found["pagination"] == {"total": 2, "page": 1, "limit": 20, "pages": 1}
    assert (found["phones"][0]["agentId"], found["phones"][0]["agentName"]) == (agent_id, "Clinic")
    page = await client.answer("GET", "/phones?page=2&limit=1", data=shape)
    assert [phone["_id"] for phone in page["phones"]] == [first["_id"]]
    assert page["pagination"] == {"total": 2, "page": 2, "limit": 1, "pages": 2}
    assert (await client.answer("GET", "/phones?status=inactive", data=shape))["phones"] == []
    assert (await client.fields("GET", "/phones?status=lost")).keys() == {"status"}


async def test_an_agent_is_assigned(client: Client) -> None:
    phone, agent_id = await client.phone(), await client.agent()
    path = f"/phones/{phone['_id']}/agent"
    assigned = (await client.answer("PUT", path, {"agentId": agent_id}, data=ONE))["phone"]
    assert assigned == {**phone, "agentId": agent_id, "agentName": "Clinic"}
    assert (await client.fields("PUT", path, {})).keys() == {"agentId"}


async def test_neither_a_strange_phone_nor_a_strange_agent_is_assigned(client: Client) -> None:
    phone, agent_id = await client.phone(), await client.agent()
    await client.refusal(404, "PUT", f"/phones/{NOBODYS}/agent", {"agentId": agent_id})
    await client.refusal(404, "PUT", f"/phones/{phone['_id']}/agent", {"agentId": NOBODYS})


async def test_tags_are_replaced(client: Client) -> None:
    phone = await client.phone()
    path = f"/phones/{phone['_id']}/tags"
    for tags in (["sales", "priority", "inbound"], ["sales"], []):
        tagged = (await client.answer("PUT", path, {"tags": tags}, data=ONE))["phone"]
        assert tagged == {**phone, "tags": tags}
    assert (await client.fields("PUT", path, {})).keys() == {"tags"}
    await client.refusal(404, "PUT", f"/phones/{NOBODYS}/tags", {"tags": []})


async def test_a_tagged_phone_keeps_its_agent_in_view(client: Client) -> None:
    phone = await client.phone(agent_id := await client.agent())
    tagged = (await client.answer("PUT", f"/phones/{phone['_id']}/tags", {"tags": ["a"]}, data=ONE))["phone"]
    assert (tagged["agentId"], tagged["agentName"]) == (agent_id, "Clinic")


async def test_a_deleted_phone_is_gone_and_its_number_free(client: Client) -> None:
    body = import_body()
    phone = (await client.answer("POST", "/phones/import", body, status=201))["phone"]
    assert await client.done("DELETE", f"/phones/{phone['_id']}") == "Phone number deleted successfully"
    await client.refusal(404, "DELETE", f"/phones/{phone['_id']}")
    await client.answer("POST", "/phones/import", body, status=201, data=ONE)
