"""/webhook-endpoints and /webhook-events over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models.call import CallStatus
from models.document import new_id
from models.webhook import EVENT_TYPES
from serve_app.resources.webhook_endpoints import EXAMPLE
from services.call_log import CallLog
from services.webhook_rules import delivery_id
from tests.money import a_writer
from tests.resources.conftest import Client
from tests.services.webhook_shop import WHOLE_CALL, events_of

pytestmark = pytest.mark.integration

PATH = "/webhook-endpoints"


async def create(client: Client, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await client.ask("POST", PATH, 201, json=EXAMPLE | fields))["data"]["webhook"]
    return made


async def test_every_event_is_listed_with_a_description(client: Client) -> None:
    events = (await client.ask("GET", "/webhook-events"))["data"]["events"]
    assert [each["event"] for each in events] == list(EVENT_TYPES)
    started = {"event": "call.started", "description": "Fired when a call is answered"}
    assert started in events


async def test_an_endpoint_is_made_shown_changed_and_removed(client: Client) -> None:
    made = await create(client)
    assert made.pop("secret") == "my-secret-key"
    assert made.keys() == {"_id", "userId", "name", "url", "events", "isActive", "createdAt", "updatedAt"}
    assert (made["events"], made["isActive"]) == (["call.started", "call.ended"], True)
    path = f"{PATH}/{made['_id']}"
    assert (await client.ask("GET", path))["data"]["webhook"] == made
    listed = (await client.ask("GET", PATH))["data"]
    assert (listed["webhooks"], listed["pagination"]["total"]) == ([made], 1)
    changed = (await client.ask("PUT", path, json={"isActive": False}))["data"]["webhook"]
    assert changed == made | {"isActive": False, "updatedAt": changed["updatedAt"]}
    assert await client.ask("DELETE", path) == {"success": True, "message": "Webhook deleted successfully"}
    for method, place in (("GET", path), ("PUT", path), ("DELETE", path), ("POST", f"{path}/test")):
        await client.ask(method, place, 404, json={})


async def test_a_secret_is_made_up_where_none_is_given(client: Client) -> None:
    made = await create(client, secret=None)
    assert made["secret"].startswith("whsec_")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "example.com"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["call.imagined"]}, "events.0"),
        ({"secret": "short"}, "secret"),
        ({"isActive": "perhaps"}, "isActive"),
    ],
)
async def test_what_is_wrong_is_named(client: Client, fields: dict[str, Any], field: str) -> None:
    error = (await client.ask("POST", PATH, 400, json=EXAMPLE | fields))["error"]
    assert [each["field"] for each in error["details"]["fields"]] == [field]


async def test_the_events_of_a_call_are_in_the_log_at_once(client: Client) -> None:
    made = await create(client, events=["call.initiated", "call.ended"])
    call = await client.call()
    log = f"{PATH}/{made['_id']}/logs"
    data = (await client.ask("GET", log))["data"]
    (delivery,) = data["deliveries"]
    assert data["pagination"]["total"] == 1
    assert delivery["_id"] == delivery_id(f"{call['_id']}.call.initiated", made["_id"])
    assert (delivery["event"], delivery["status"], delivery["success"]) == ("call.initiated", "pending", False)
    assert (delivery["webhookId"], delivery["attempts"]) == (made["_id"], [])
    assert delivery["payload"]["data"]["call_id"] == call["_id"]
    assert delivery["payload"]["data"]["metadata"] == {"customerName": "John Doe", "orderId": None}
    assert delivery["nextAttemptAt"]
    assert (await client.ask("GET", f"{log}?status=dead"))["data"]["deliveries"] == []
    await client.ask("GET", f"{log}?status=lost", 400)
    await client.ask("POST", f"{log}/{delivery['_id']}/replay", 409)
    await client.ask("POST", f"{log}/{new_id()}/replay", 404)
    await client.ask("POST", f"/calls/{call['sessionId']}/end", json={"reason": "done"})
    told = (await client.ask("GET", log))["data"]["deliveries"]
    assert {each["event"] for each in told} == {"call.initiated", "call.ended"}


async def test_a_test_that_reaches_nobody_says_so_and_can_be_replayed(client: Client) -> None:
    made = await create(client, url="https://hooks.invalid/callboard")
    path = f"{PATH}/{made['_id']}"
    tested = (await client.ask("POST", f"{path}/test"))["data"]
    assert tested == {
        "success": False,
        "responseTimeMs": 0,
        "message": "Webhook test failed: The receiver cannot be reached",
    }
    (logged,) = (await client.ask("GET", f"{path}/logs?event=webhook.test"))["data"]["deliveries"]
    assert (logged["status"], logged["attempts"][0]["error"]) == ("dead", "The receiver cannot be reached")
    assert logged["requestHeaders"]["X-Webhook-Signature"].startswith("sha256=")
    assert (await client.ask("POST", f"{path}/replay"))["data"] == {"replayed": 1}
    replayed = (await client.ask("GET", f"{path}/logs"))["data"]["deliveries"][0]
    assert replayed["status"] == "pending"
    await client.ask("PUT", path, json={"isActive": False})
    await client.ask("POST", f"{path}/replay", 409)


async def test_making_and_removing_is_in_the_audit_log(client: Client) -> None:
    made = await create(client)
    await client.ask("DELETE", f"{PATH}/{made['_id']}")
    records = (await client.ask("GET", f"/audit-log?subjectId={made['_id']}&subject=webhook"))["data"]["records"]
    assert [each["action"] for each in records] == ["webhook.delete", "webhook.create"]


async def test_each_fact_is_told_by_whoever_writes_it(client: Client) -> None:
    house = client.house
    made = await create(client, events=list(EVENT_TYPES))
    call = await house.stores.calls.by_id((await client.call())["_id"])
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events, house.services.webhook_events)
    now = datetime.now(UTC)
    for _ in range(2):
        await log.ringing(call, now)
        await log.connected(call, now)
        await log.finish(call, status=CallStatus.COMPLETED, reason="caller", now=now)
    told = (await client.ask("GET", f"{PATH}/{made['_id']}/logs"))["data"]["deliveries"]
    assert sorted(each["eventId"] for each in told) == sorted(events_of(call.id, *WHOLE_CALL))
    assert call.id not in [each.id for each in await house.stores.calls.untold(1000)]
