"""The documented operations, against the real database."""

import re
from urllib.parse import urlsplit

import pytest

from models.call import CallStatus, CostBreakdown, Recording, Usage
from models.document import Id, new_id
from tests.documents import NOW, a_turn
from tests.resources.conftest import AGENT, PASSWORD, Client

pytestmark = pytest.mark.integration

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ID = re.compile(r"[0-9a-f]{24}")


async def test_accounts(client: Client) -> None:
    await client.sign_up()
    assert client.user.keys() == {"_id", "email", "name", "role", "organizationRole", "credits", "createdAt"}
    assert (client.user["role"], client.user["credits"]) == ("user", 0)
    assert TIME.fullmatch(client.user["createdAt"])
    assert ID.fullmatch(client.user["_id"])
    credentials = {"email": client.user["email"], "password": PASSWORD}
    login = await client.ask("POST", "/auth/login", json=credentials)
    assert login["success"] is True
    assert login["data"]["user"] == client.user
    refreshed = await client.ask("POST", "/auth/refresh", json={"refreshToken": login["data"]["tokens"]["refresh"]})
    client.http.headers["Authorization"] = f"Bearer {refreshed['data']['access']}"
    assert (await client.ask("GET", "/auth/me"))["data"]["user"] == client.user
    await client.phone()
    shown = (await client.ask("GET", "/auth/me"))["data"]["user"]["exotelConfig"]
    assert shown == {"apiKey": "EXxxxxxxxxxx", "subdomain": "api.exotel.com"}
    again = await client.ask("POST", "/auth/signup", 409, json=credentials)
    assert again["error"]["code"] == "DUPLICATE_RESOURCE"
    wrong = await client.ask("POST", "/auth/login", 401, json={**credentials, "password": "wrong"})
    assert wrong["error"] == {"code": "UNAUTHORIZED", "message": "Invalid credentials", "details": {}}
    await client.ask("POST", "/auth/refresh", 400, json={})
    await client.ask("POST", "/auth/refresh", 401, json={"refreshToken": "x"})


async def test_agents(client: Client) -> None:
    agent_id = await client.agent()
    agent = (await client.ask("GET", f"/agents/{agent_id}"))["data"]["agent"]
    assert (agent["name"], agent["isActive"], agent["userId"]) == (
        AGENT["name"],
        True,
        client.house.principal.user_id,
    )
    assert agent["config"].items() >= AGENT["config"].items()
    assert agent["stats"] == {"totalCalls": 0, "totalDuration": 0, "avgDuration": 0, "successRate": 0}
    patch = {"name": "Updated Sales Agent", "config": {"prompt": "Updated prompt...", "temperature": 0.8}}
    updated = (await client.ask("PUT", f"/agents/{agent_id}", json=patch))["data"]["agent"]
    assert updated["config"]["llm"] == {"model": "gpt-4", "temperature": 0.8}
    assert updated["config"]["voice"] == AGENT["config"]["voice"]
    copied = await client.ask("POST", f"/agents/{agent_id}/duplicate", 201, json={"name": "Copy of Sales Agent"})
    assert copied["data"]["agent"]["config"] == updated["config"]
    found = (await client.ask("GET", "/agents?search=updated"))["data"]
    assert [item["_id"] for item in found["agents"]] == [agent_id]
    assert found["pagination"] == {"total": 1, "page": 1, "limit": 20, "pages": 1}
    gone = await client.ask("DELETE", f"/agents/{agent_id}")
    assert gone == {"success": True, "message": "Agent deleted successfully"}
    await client.ask("GET", f"/agents/{agent_id}", 404)


async def test_phones(client: Client) -> None:
    phone, agent_id = await client.phone(), await client.agent()
    assert phone["exotelData"] == {"sid": "acme"}
    assert "secret-token" not in str(phone)
    assert urlsplit(phone["incomingUrl"]).path == "/api/v1/webhooks/exotel/incoming"
    assigned = await client.ask("PUT", f"/phones/{phone['_id']}/agent", json={"agentId": agent_id})
    assert assigned["data"]["phone"]["agentName"] == "Sales Agent"
    tagged = await client.ask("PUT", f"/phones/{phone['_id']}/tags", json={"tags": ["sales", "priority"]})
    assert tagged["data"]["phone"]["tags"] == ["sales", "priority"]
    listed = (await client.ask("GET", "/phones?status=active"))["data"]
    assert listed["phones"] == [{**assigned["data"]["phone"], "tags": ["sales", "priority"]}]
    assert (await client.ask("GET", "/phones?status=inactive"))["data"]["phones"] == []
    await client.ask("DELETE", f"/phones/{phone['_id']}")
    await client.ask("DELETE", f"/phones/{phone['_id']}", 404)


async def test_an_outbound_call_and_its_log(client: Client) -> None:
    wanted = {"fromPhone": "+919876543210", "toPhone": "+919123456789", "agentId": new_id()}
    await client.ask("POST", "/calls/outbound", 404, json=wanted)
    phone, agent_id = await client.phone(), await client.agent()
    wanted |= {"fromPhone": phone["number"], "agentId": agent_id}
    call = (await client.ask("POST", "/calls/outbound", 201, json=wanted))["data"]["call"]
    assert call.keys() == {
        *("_id", "sessionId", "fromPhone", "toPhone", "agentId", "direction", "status", "exotelCallSid", "metadata"),
        "createdAt",
    }
    await converse(client, call["_id"])
    detail = (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]
    assert detail["transcript"] == "User: Hello\nAgent: Hi! How can I help you?"
    assert detail["conversationHistory"] == [
        {"role": "user", "content": "Hello", "timestamp": "2026-01-15T10:30:00.000Z"},
        {"role": "assistant", "content": "Hi! How can I help you?", "timestamp": "2026-01-15T10:30:00.000Z"},
    ]
    cost = {"stt": 0.022, "llm": 0.045, "tts": 0.0002, "telephony": 0.03, "total": 0.0972}
    assert detail["costBreakdown"] == cost
    assert (detail["status"], detail["durationSec"]) == ("completed", 0)
    assert detail["recordingUrl"] == "https://s3.amazonaws.com/recordings/call_123.mp3"
    listed = (await client.ask("GET", "/calls?status=completed&direction=outbound&fromDate=2024-01-01"))["data"]
    assert listed["calls"][0].items() <= detail.items()
    assert listed["pagination"]["total"] == 1
    today = detail["createdAt"][:10]
    for query, total in {
        f"toDate={today}": 1,
        f"toDate={detail['createdAt']}": 1,
        f"fromDate={detail['createdAt']}": 1,
        "toDate=2024-01-01": 0,
        "direction=inbound": 0,
        f"agentId={agent_id}": 1,
        f"agentId={new_id()}": 0,
    }.items():
        assert (await client.ask("GET", f"/calls?{query}"))["data"]["pagination"]["total"] == total, query


async def test_our_recording_is_played_from_its_own_address(client: Client) -> None:
    place = client.house.settings.callboard_data_dir / "recordings"
    place.mkdir(exist_ok=True)
    (place / "a.wav").write_bytes(b"RIFF")
    outside = place.parent.parent / "outside.wav"
    outside.write_bytes(b"secret")
    for path, status in ((f"{place}/a.wav", 200), (f"{place}/gone.wav", 404), (str(outside), 404), ("../x", 404)):
        call = await client.call()
        await client.house.stores.calls.keep_recording(call["_id"], Recording(path=path), NOW)
        url = (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]["recordingUrl"]
        address = urlsplit(url)
        response = await client.http.get(f"{address.path}?{address.query}", headers={"Authorization": ""})
        assert response.status_code == status
    assert (await client.http.get(address.path)).status_code == 400
    assert (await client.http.get(f"{address.path}?token=x")).status_code == 401


async def test_without_credit_nothing_is_dialled(client: Client) -> None:
    await client.become(await client.house.tenant(balance_micros=0))
    wanted = {"toPhone": "+919123456789", "fromPhone": (await client.phone())["number"]}
    poor = await client.ask("POST", "/calls/outbound", 402, json={**wanted, "agentId": await client.agent()})
    assert poor["error"]["code"] == "INSUFFICIENT_CREDITS"


async def test_ending_calls(client: Client) -> None:
    call = await client.call()
    assert call["metadata"] == {"customerName": "John Doe", "orderId": None}
    path = f"/calls/{call['sessionId']}/end"
    assert await client.ask("POST", path, json={"reason": "user_requested"}) == {
        "success": True,
        "message": "Call ended successfully",
        "data": {"sessionId": call["sessionId"], "status": "ended"},
    }
    over = await client.ask("POST", path, 409)
    assert over["error"]["code"] == "DUPLICATE_RESOURCE"
    await client.ask("POST", "/calls/sess_unknown/end", 404)


async def test_a_client_sees_nothing_of_another(client: Client) -> None:
    call, phone, agent_id = await client.call(), await client.phone(), await client.agent()
    await client.become(await client.house.tenant())
    for method, path, body in (
        ("GET", f"/agents/{agent_id}", None),
        ("PUT", f"/agents/{agent_id}", {"name": "Mine"}),
        ("DELETE", f"/agents/{agent_id}", None),
        ("POST", f"/agents/{agent_id}/duplicate", {"name": "Mine"}),
        ("PUT", f"/phones/{phone['_id']}/agent", {"agentId": agent_id}),
        ("PUT", f"/phones/{phone['_id']}/tags", {"tags": []}),
        ("DELETE", f"/phones/{phone['_id']}", None),
        ("GET", f"/calls/{call['_id']}", None),
        ("POST", f"/calls/{call['sessionId']}/end", None),
    ):
        await client.ask(method, path, 404, json=body)
    for kind in ("agents", "phones", "calls"):
        assert (await client.ask("GET", f"/{kind}"))["data"][kind] == []


async def converse(client: Client, call_id: str) -> None:
    """Give a call the document's conversation and costs."""
    calls = client.house.stores.calls
    cost = CostBreakdown(stt=22_000, llm=45_000, tts=200, telephony=30_000)
    answer = a_turn(1, "Hi! How can I help you?").model_copy(update={"role": "assistant"})
    for turn in (a_turn(0), answer):
        await calls.append_turn(Id(call_id), turn, Usage(), cost, NOW)
    await calls.finish(
        Id(call_id),
        status=CallStatus.COMPLETED,
        reason="caller",
        now=NOW,
        recording=Recording(url="https://s3.amazonaws.com/recordings/call_123.mp3"),
    )


async def test_the_pages_of_the_api_load_nothing_from_elsewhere(client: Client) -> None:
    for page in ("docs", "redoc"):
        text = (await client.http.get(f"/api/v1/{page}")).text
        loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
        assert loaded
        for address in loaded:
            assert address.startswith("/api/v1/"), address
            assert (await client.http.get(address)).status_code == 200
