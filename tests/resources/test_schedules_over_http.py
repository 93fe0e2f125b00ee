"""/schedules as clients see it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.document import new_id
from serve_app.resources.schedules import NewSchedule
from services.principal import Principal
from services.schedule_plan import Result, claimed, occurrence
from tests.resources.conftest import Client
from tests.resources.test_odd_values import ODD, spoilt

pytestmark = pytest.mark.integration

WHEN = {"localTime": "2034-03-26T02:30:00", "timezone": "Europe/Berlin"}
"""In the gap: clocks there are put forward at 2."""
OVER = {"done", "missed", "failed", "cancelled"}


async def order(client: Client, **fields: Any) -> dict[str, Any]:
    """The body of a schedule with a phone and an agent of its own."""
    phone, agent_id = await client.phone(), await client.agent()
    return {"fromPhone": phone["number"], "toPhone": "+91 91234 56789", "agentId": agent_id, **WHEN} | fields


async def made(client: Client, **fields: Any) -> dict[str, Any]:
    """A schedule just made."""
    answer = await client.ask("POST", "/schedules", 201, json=await order(client, **fields))
    schedule: dict[str, Any] = answer["data"]["schedule"]
    return schedule


async def actions(client: Client) -> list[str]:
    records = (await client.ask("GET", "/audit-log?subject=schedule"))["data"]["records"]
    return [record["action"] for record in records]


async def test_a_schedule_is_made_shown_and_listed(client: Client) -> None:
    asked = await order(client, metadata={"orderId": "ORD-1"}, notes="Follow-up call")
    schedule = (await client.ask("POST", "/schedules", 201, json=asked))["data"]["schedule"]
    assert schedule | asked | {"toPhone": "+919123456789"} == schedule
    assert (schedule["status"], schedule["lateMinutes"], schedule["nextAt"]) == (
        "scheduled",
        10,
        "2034-03-26T01:00:00.000Z",
    )
    assert not {"rrule", "reason", "waitingFor", "variables"} & schedule.keys()
    assert schedule["userId"] == client.house.principal.user_id
    assert (await client.ask("GET", f"/schedules/{schedule['_id']}"))["data"]["schedule"] == schedule
    assert await actions(client) == ["schedule.create"]


async def test_a_schedule_keeps_the_variables_of_its_calls(client: Client) -> None:
    schedule = await made(client, variables={"customer_name": "Asha"})
    assert schedule["variables"] == {"customer_name": "Asha"}
    for variables in ({"customer_name": "Ravi"}, {}):
        changed = await client.ask("PUT", f"/schedules/{schedule['_id']}", json={"variables": variables})
        assert changed["data"]["schedule"].get("variables", {}) == variables


async def test_a_schedule_says_at_once_which_variable_its_calls_will_lack(client: Client) -> None:
    agent_id = await client.agent(firstMessage="Hello {customer_name}, {amount} is due.")
    asked = await order(client, agentId=agent_id, variables={"customer_name": "Asha"})
    answer = await client.ask("POST", "/schedules", 400, json=asked)
    assert [each["field"] for each in answer["error"]["details"]["fields"]] == ["variables.amount"]
    asked["variables"]["amount"] = "50"
    await client.ask("POST", "/schedules", 201, json=asked)


async def test_a_rule_gives_the_first_time_it_names(client: Client) -> None:
    schedule = await made(client, rrule="rrule:freq=weekly;byday=mo;until=20341231")
    assert schedule["rrule"] == "FREQ=WEEKLY;BYDAY=MO;UNTIL=20341231"
    assert schedule["nextAt"] == "2034-03-27T00:30:00.000Z"


async def test_lists_are_filtered_and_paged(client: Client) -> None:
    first, second = await made(client), await made(client)
    await client.ask("DELETE", f"/schedules/{second['_id']}")

    async def listed(query: str = "") -> list[str]:
        data = (await client.ask("GET", f"/schedules{query}"))["data"]
        assert data["pagination"]["total"] >= len(data["schedules"])
        return [each["_id"] for each in data["schedules"]]

    assert await listed() == [second["_id"], first["_id"]]
    assert await listed("?status=cancelled") == [second["_id"]]
    assert await listed("?status=scheduled&limit=1") == [first["_id"]]
    assert await listed(f"?agentId={first['agentId']}") == [first["_id"]]
    assert await listed("?status=firing") == []
    await client.ask("GET", "/schedules?status=pending", 400)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"toPhone": "12345"}, "toPhone"),
        ({"fromPhone": "nobody"}, "fromPhone"),
        ({"localTime": "2020-01-01T09:00:00"}, "localTime"),
        ({"localTime": "9999-12-31T23:59:59"}, "localTime"),
        ({"localTime": "0001-01-01T00:00:00"}, "localTime"),
        ({"localTime": "2034-03-26T02:30:00Z"}, "localTime"),
        ({"localTime": "tomorrow"}, "localTime"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"rrule": "FREQ=SECONDLY"}, "rrule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20330101"}, "rrule"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "rrule"),
        ({"rrule": ""}, "rrule"),
        ({"lateMinutes": 0}, "lateMinutes"),
        ({"lateMinutes": 1441}, "lateMinutes"),
        ({"metadata": {"a": "x" * 20_000}}, "metadata"),
    ],
)
async def test_what_cannot_be_is_named(client: Client, fields: dict[str, Any], named: str) -> None:
    refusal = await client.ask("POST", "/schedules", 400, json=await order(client, **fields))
    assert [each["field"] for each in refusal["error"]["details"]["fields"]] == [named]
    schedule = await made(client)
    refusal = await client.ask("PUT", f"/schedules/{schedule['_id']}", 400, json=fields)
    assert [each["field"] for each in refusal["error"]["details"]["fields"]] == [named]
    assert (await client.ask("GET", f"/schedules/{schedule['_id']}"))["data"]["schedule"] == schedule


async def test_what_is_not_there_is_not_scheduled(client: Client) -> None:
    asked = await order(client)
    for fields, noun in (({"agentId": new_id()}, "Agent"), ({"fromPhone": "+919800000000"}, "Phone")):
        refusal = await client.ask("POST", "/schedules", 404, json=asked | fields)
        assert refusal["error"]["message"] == f"{noun} not found"


async def test_a_change_keeps_what_it_does_not_name(client: Client) -> None:
    schedule = await made(client, rrule="FREQ=DAILY", notes="Before")
    path = f"/schedules/{schedule['_id']}"
    changed = (await client.ask("PUT", path, json={"notes": "After", "lateMinutes": None}))["data"]["schedule"]
    assert changed == schedule | {"notes": "After", "updatedAt": changed["updatedAt"]}
    changed = (await client.ask("PUT", path, json={"timezone": "Asia/Kolkata"}))["data"]["schedule"]
    assert (changed["nextAt"], changed["rrule"]) == ("2034-03-25T21:00:00.000Z", "FREQ=DAILY")
    changed = (await client.ask("PUT", path, json={"rrule": None}))["data"]["schedule"]
    assert "rrule" not in changed
    assert await actions(client) == ["schedule.update"] * 3 + ["schedule.create"]


async def test_a_rule_that_has_begun_takes_a_new_beginning_to_change(client: Client) -> None:
    schedule = await made(client, rrule="FREQ=DAILY")
    path, owner = f"/schedules/{schedule['_id']}", client.house.principal.organization_id
    await client.house.stores.schedules.change(owner, schedule["_id"], {"localTime": "2024-01-01T09:00:00"}, NOW)
    assert (await client.ask("PUT", path, json={"notes": "x"}))["data"]["schedule"]["nextAt"] == schedule["nextAt"]
    refusal = await client.ask("PUT", path, 400, json={"rrule": "FREQ=WEEKLY"})
    assert refusal["error"]["details"]["fields"][0]["field"] == "localTime"
    moved = await client.ask("PUT", path, json={"rrule": "FREQ=WEEKLY", "localTime": "2034-05-01T09:00"})
    assert moved["data"]["schedule"]["nextAt"] == "2034-05-01T07:00:00.000Z"


NOW = datetime(2034, 3, 26, 1, 0, tzinfo=UTC)


async def test_only_what_waits_is_changed_or_cancelled(client: Client) -> None:
    schedule = await made(client)
    path, store = f"/schedules/{schedule['_id']}", client.house.stores.schedules
    seen = await store.get(client.house.principal.organization_id, schedule["_id"])
    assert await store.replace(seen, claimed(seen, NOW), NOW) is not None
    for method, body in (("PUT", {"notes": "x"}), ("DELETE", None)):
        refusal = await client.ask(method, path, 409, json=body)
        assert refusal["error"]["message"] == "The schedule is being dialled, try again"
    other = f"/schedules/{(await made(client))['_id']}"
    assert (await client.ask("DELETE", other))["message"] == "Schedule cancelled successfully"
    assert (await client.ask("GET", other))["data"]["schedule"]["status"] == "cancelled"
    for method, body in (("PUT", {"notes": "x"}), ("DELETE", None)):
        assert (await client.ask(method, other, 409, json=body))["error"][
            "message"
        ] == "The schedule is over: cancelled"
    assert "schedule.cancel" in await actions(client)


async def test_the_history_tells_the_calls_and_why_there_are_none(client: Client) -> None:
    schedule = await made(client, rrule="FREQ=DAILY")
    stores, path = client.house.stores, f"/schedules/{schedule['_id']}/occurrences"
    seen = await stores.schedules.get(client.house.principal.organization_id, schedule["_id"])
    assert seen.coming is not None
    call_id = seen.coming.call_id
    await stores.occurrences.insert(occurrence(seen, Result("done", call_id=call_id), NOW))
    later = claimed(seen, NOW + timedelta(days=2))
    await stores.occurrences.insert(occurrence(later, Result("missed", "Too late"), NOW + timedelta(days=2)))
    data = (await client.ask("GET", path))["data"]
    assert data["pagination"]["total"] == 2
    assert data["occurrences"] == [
        {
            "dueAt": "2034-03-28T00:30:00.000Z",
            "outcome": "missed",
            "reason": "Too late",
            "skipped": 2,
            "settledAt": "2034-03-28T01:00:00.000Z",
        },
        {
            "dueAt": "2034-03-26T01:00:00.000Z",
            "outcome": "done",
            "callId": call_id,
            "skipped": 0,
            "settledAt": "2034-03-26T01:00:00.000Z",
        },
    ]


async def test_the_same_request_under_its_key_makes_one_schedule(client: Client) -> None:
    asked, key = await order(client), {"Idempotency-Key": new_id()}
    answers = [await client.ask("POST", "/schedules", 201, json=asked, headers=key) for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await client.ask("GET", "/schedules"))["data"]["pagination"]["total"] == 1


async def test_nobody_sees_or_touches_another_tenants(client: Client) -> None:
    schedule = await made(client)
    path = f"/schedules/{schedule['_id']}"
    await client.become(await client.house.tenant())
    for method, place, body in (
        ("GET", path, None),
        ("GET", f"{path}/occurrences", None),
        ("PUT", path, {"notes": "Taken over"}),
        ("DELETE", path, None),
    ):
        assert (await client.ask(method, place, 404, json=body))["error"]["message"] == "Schedule not found"
    assert (await client.ask("GET", "/schedules"))["data"]["schedules"] == []


async def test_who_may_not_place_calls_may_look_only(client: Client) -> None:
    schedule = await made(client)
    owner = client.house.principal.organization_id
    await client.become(Principal(new_id(), owner, "viewer"))
    await client.ask("GET", f"/schedules/{schedule['_id']}")
    await client.ask("POST", "/schedules", 403, json={})
    await client.ask("DELETE", f"/schedules/{schedule['_id']}", 403)


def test_the_documented_example_is_an_order() -> None:
    (example,) = NewSchedule.model_json_schema()["examples"]
    assert NewSchedule.model_validate(example).model_dump(by_alias=True) == example


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_odd_values_are_answered(client: Client, method: str) -> None:
    body = await order(client, rrule="FREQ=DAILY", notes="x", lateMinutes=10, metadata={"a": 1})
    path = "/schedules" if method == "POST" else f"/schedules/{(await made(client))['_id']}"
    for odd in ODD:
        for content in spoilt(body, odd):
            response = await client.http.request(
                method, f"/api/v1{path}", content=json.dumps(content), headers={"Content-Type": "application/json"}
            )
            assert response.status_code < 500, (content, response.text)
