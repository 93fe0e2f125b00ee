"""/phones and /dashboard over HTTP, in the words of the API's document."""

from datetime import timedelta
from typing import Any

import pytest

from models.call import CallStatus, CostBreakdown
from models.document import Id, new_id
from models.errors import Invalid
from services.call_addresses import CallAddresses
from services.principal import Principal
from tests.documents import NOW, a_call, an_agent
from tests.resources.conftest import Client

pytestmark = pytest.mark.integration

ACCOUNT = {"apiKey": "EXkey", "apiToken": "secret-token", "sid": "acme", "subdomain": "api.exotel.com"}


async def test_an_agent_is_put_on_a_phone_shown_everywhere_and_taken_off(client: Client) -> None:
    path, agent_id = f"/phones/{(await client.phone())['_id']}", await client.agent()
    assigned = (await client.ask("PUT", f"{path}/agent", json={"agentId": agent_id}))["data"]["phone"]
    assert (assigned["agentId"], assigned["agentName"]) == (agent_id, "Sales Agent")
    tagged = (await client.ask("PUT", f"{path}/tags", json={"tags": ["sales"]}))["data"]["phone"]
    assert tagged == {**assigned, "tags": ["sales"]}
    [listed] = (await client.ask("GET", "/phones?status=active&page=1&limit=5"))["data"]["phones"]
    assert listed == tagged
    freed = (await client.ask("PUT", f"{path}/agent", json={"agentId": None}))["data"]["phone"]
    assert not {"agentId", "agentName"} & freed.keys()
    await client.ask("PUT", f"{path}/agent", 400, json={})


async def test_only_ones_own_agents_answer_ones_phones(client: Client) -> None:
    phone, stranger = await client.phone(), await client.house.tenant()
    theirs = await client.house.stores.agents.insert(an_agent(stranger.organization_id))
    for agent_id in (new_id(), theirs.id, "nonsense"):
        await client.ask("PUT", f"/phones/{phone['_id']}/agent", 404, json={"agentId": agent_id})


async def test_an_account_the_carrier_refuses_is_a_bad_request(client: Client) -> None:
    client.house.carrier.account_problem = Invalid("Exotel knows no account with this sid")
    body = {"number": "+919876500000", "country": "IN", "exotelConfig": ACCOUNT}
    error = (await client.ask("POST", "/phones/import", 400, json=body))["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["fields"] == [{"field": "exotelConfig", "message": "Exotel knows no account with this sid"}]


async def test_a_deleted_phone_takes_no_calls_and_its_number_is_free(client: Client) -> None:
    phone = await client.phone()
    await client.ask("PUT", f"/phones/{phone['_id']}/agent", json={"agentId": await client.agent()})
    assert await client.ask("DELETE", f"/phones/{phone['_id']}") == {
        "success": True,
        "message": "Phone number deleted successfully",
    }
    incoming = CallAddresses(client.house.settings).incoming(phone["_id"]).partition("/api/v1")[2]
    ring = {"CallSid": new_id(), "From": "+919123456789", "To": phone["number"], "Direction": "inbound"}
    response = await client.http.post(f"/api/v1{incoming}", json=ring)
    assert response.status_code == 404
    assert (await client.ask("GET", "/phones"))["data"]["phones"] == []
    body = {"number": phone["number"], "country": "IN", "exotelConfig": ACCOUNT}
    await client.ask("POST", "/phones/import", 201, json=body)


async def some_calls(client: Client, agent_id: Id, other_id: Id) -> None:
    """Four calls, a day apart."""
    kinds: list[dict[str, Any]] = [
        {"agent_id": agent_id, "status": CallStatus.COMPLETED, "direction": "inbound", "duration_sec": 100},
        {"agent_id": agent_id, "status": CallStatus.COMPLETED, "duration_sec": 201},
        {"agent_id": other_id, "agent_name": "Gone", "status": CallStatus.NO_ANSWER, "duration_sec": 0},
        {"agent_id": agent_id, "status": CallStatus.RINGING},
    ]
    for day, kind in enumerate(kinds):
        cost = CostBreakdown(stt=22_000, llm=45_000, tts=200, telephony=30_000)
        at = NOW + timedelta(days=day)
        if kind["status"].is_final:
            kind["charged_micros"] = cost.total
        call = a_call(client.house.principal.organization_id, created_at=at, cost=cost, **kind)
        await client.house.stores.calls.insert(call)


async def test_the_dashboard_shows_what_calls_come_to(client: Client) -> None:
    agent_id, other_id = Id(await client.agent()), new_id()
    await some_calls(client, agent_id, other_id)
    stats = (await client.ask("GET", "/dashboard/stats"))["data"]["stats"]
    assert stats == {
        "totalCalls": 4,
        "totalDuration": 301,
        "avgDuration": 100,
        "successRate": 0.6667,
        "totalCost": 0.2916,
        "callsByStatus": {"completed": 2, "no-answer": 1, "ringing": 1},
        "callsByDirection": {"inbound": 1, "outbound": 3},
        "topAgents": [
            {"agentId": agent_id, "agentName": "Sales Agent", "totalCalls": 3, "avgDuration": 150},
            {"agentId": other_id, "agentName": "Gone", "totalCalls": 1, "avgDuration": 0},
        ],
    }
    agent = (await client.ask("GET", f"/agents/{agent_id}"))["data"]["agent"]["stats"]
    assert agent == {"totalCalls": 3, "totalDuration": 301, "avgDuration": 150, "successRate": 1.0}


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("fromDate=2026-01-16", 3),
        ("toDate=2026-01-16", 2),
        ("fromDate=2026-01-16&toDate=2026-01-16", 1),
        ("fromDate=2026-01-16T10:30:00.000Z&toDate=2026-01-16T10:30:00.000Z", 1),
        ("fromDate=2027-01-01", 0),
    ],
)
async def test_the_dashboards_dates_are_those_of_the_call_log(client: Client, query: str, calls: int) -> None:
    await some_calls(client, new_id(), new_id())
    stats = (await client.ask("GET", f"/dashboard/stats?{query}"))["data"]["stats"]
    assert stats["totalCalls"] == calls == (await client.ask("GET", f"/calls?{query}"))["data"]["pagination"]["total"]
    assert set(stats["callsByDirection"]) == {"inbound", "outbound"}


async def test_the_dashboard_refuses_nonsense_and_shows_nobody_elses_calls(client: Client) -> None:
    await some_calls(client, new_id(), new_id())
    error = (await client.ask("GET", "/dashboard/stats?fromDate=soon", 400))["error"]
    assert error["details"]["fields"][0]["field"] == "fromDate"
    await client.become(await client.house.tenant())
    stats = (await client.ask("GET", "/dashboard/stats"))["data"]["stats"]
    assert (stats["totalCalls"], stats["topAgents"], stats["callsByStatus"]) == (0, [], {})
    assert (stats["successRate"], stats["totalCost"], stats["avgDuration"]) == (0.0, 0.0, 0)
    del client.http.headers["Authorization"]
    await client.ask("GET", "/dashboard/stats", 401)


@pytest.mark.parametrize("role", ["viewer", "agent"])
async def test_a_viewer_sees_phones_and_figures_and_changes_nothing(client: Client, role: Any) -> None:
    phone = await client.phone()
    await client.become(Principal(new_id(), client.house.principal.organization_id, role))
    await client.ask("GET", "/dashboard/stats")
    await client.ask("GET", "/phones")
    await client.ask("DELETE", f"/phones/{phone['_id']}", 403)
    await client.ask("PUT", f"/phones/{phone['_id']}/tags", 403, json={"tags": []})
