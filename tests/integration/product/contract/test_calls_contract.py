"""/calls as documented, over HTTP."""

from typing import Any

import pytest

from simulators.caller import HangUp, Say, WaitForAgent
from simulators.carrier import Carrier
from simulators.exotel_calls import RATE_LIMITED
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING, fresh_account
from tests.integration.product.contract.document import CALL, CALL_WHEN_OVER, LISTED_CALL, PLACED_CALL, page_of
from tests.integration.product.contract.shapes import Shape, one_of
from tests.integration.product.contract.webhooks import Webhooks
from tests.integration.product.customer import CALLER, GREETING, Account
from tests.integration.product.world import World

pytestmark = pytest.mark.integration

account = pytest.fixture(fresh_account)
"""One for each test: nobody places more than ten calls a minute."""

PLACED = Shape({"call": PLACED_CALL})
PAGE = page_of("calls", LISTED_CALL)
METADATA = {"customerName": "John Doe", "orderId": "ORD-12345"}
NOBODYS = "64f8a1b2c3d4e5f6a7b8c9d3"


async def test_a_call_is_placed_as_documented(client: Client, carrier: Carrier) -> None:
    order = await client.order(metadata=METADATA)
    call = (await client.answer("POST", "/calls/outbound", order, status=201, data=PLACED))["call"]
    assert {name: call[name] for name in order} == order
    assert (call["direction"], call["status"]) == ("outbound", "initiated")
    assert call["exotelCallSid"] in carrier.calls


async def test_metadata_is_optional(client: Client, carrier: Carrier) -> None:
    placed = await client.answer("POST", "/calls/outbound", await client.order(), status=201, data=PLACED)
    assert placed["call"]["metadata"] == {}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"fromPhone": None}, "fromPhone"),
        ({"fromPhone": "no number"}, "fromPhone"),
        ({"toPhone": None}, "toPhone"),
        ({"toPhone": "12"}, "toPhone"),
        ({"agentId": None}, "agentId"),
        ({"metadata": "text"}, "metadata"),
        ({"metadata": ["a"]}, "metadata"),
    ],
)
async def test_an_order_is_validated(client: Client, fields: dict[str, Any], field: str) -> None:
    order = {"fromPhone": "+918098765432", "toPhone": CALLER, "agentId": NOBODYS} | fields
    assert (await client.fields("POST", "/calls/outbound", order)).keys() == {field}
    del order[field]
    if field != "metadata":
        assert (await client.fields("POST", "/calls/outbound", order)).keys() == {field}


async def test_only_own_phones_and_agents_are_called_with(client: Client, carrier: Carrier) -> None:
    order = await client.order()
    await client.refusal(404, "POST", "/calls/outbound", order | {"fromPhone": "+918012345678"})
    await client.refusal(404, "POST", "/calls/outbound", order | {"agentId": NOBODYS})
    assert carrier.calls == {}


async def test_a_carrier_that_refuses_is_a_bad_gateway(http: Any, stranger: Account, carrier: Carrier) -> None:
    client = Client(http, stranger.access)
    order = await client.order()
    carrier.refusals.add(RATE_LIMITED)
    response = await client.send("POST", "/calls/outbound", order)
    assert (response.status_code, response.headers["Retry-After"]) == (502, "1")
    assert response.json()["error"]["code"] == "EXTERNAL_SERVICE_ERROR"
    (failed,) = (await client.answer("GET", "/calls?limit=1", data=PAGE))["calls"]
    assert failed["status"] == "failed"


async def test_a_carrier_that_is_not_there_is_a_bad_gateway(http: Any, stranger: Account) -> None:
    client = Client(http, stranger.access)
    await client.refusal(502, "POST", "/calls/outbound", await client.order())


async def test_the_log_is_filtered_and_paged(
    http: Any, api_url: str, stranger: Account, carrier: Carrier, webhooks: Webhooks
) -> None:
    client = Client(http, stranger.access)
    carrier.plans.default = RINGING
    rung, over = await client.call(), await client.call()
    await webhooks.is_over(over, 330)
    mine = f"fromDate={rung['createdAt']}"

    async def found(query: str) -> list[str]:
        data = await client.answer("GET", f"/calls?{query}", data=PAGE)
        assert data["pagination"]["total"] == len(data["calls"])
        return [call["_id"] for call in data["calls"]]

    assert await found(mine) == [over["_id"], rung["_id"]]
    assert await found(f"{mine}&status=completed&direction=outbound") == [over["_id"]]
    assert await found(f"{mine}&status=no-answer") == []
    assert await found(f"{mine}&direction=inbound") == []
    assert await found(f"agentId={rung['agentId']}") == [rung["_id"]]
    assert await found(f"agentId={NOBODYS}") == []
    assert await found(f"{mine}&toDate={rung['createdAt']}") == [rung["_id"]]
    assert await found("fromDate=2024-01-01&toDate=2024-12-31") == []
    day = rung["createdAt"][:10]
    assert rung["_id"] in await found(f"fromDate={day}&toDate={over['createdAt'][:10]}")
    second = await client.answer("GET", f"/calls?{mine}&page=2&limit=1", data=PAGE)
    assert [call["_id"] for call in second["calls"]] == [rung["_id"]]
    assert second["pagination"] == {"total": 2, "page": 2, "limit": 1, "pages": 2}
    await client.answer("POST", f"/calls/{rung['sessionId']}/end")


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=rung", "status"), ("direction=up", "direction"), ("fromDate=soon", "fromDate"), ("toDate=", "toDate")],
)
async def test_a_wrong_filter_is_named(client: Client, query: str, field: str) -> None:
    assert (await client.fields("GET", f"/calls?{query}")).keys() == {field}


async def test_a_call_over_is_listed_and_shown_in_full(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    carrier.plans.add(RINGING)
    call = await client.call(metadata=METADATA)
    begun = (await client.answer("GET", f"/calls/{call['_id']}", data=Shape({"call": CALL})))["call"]
    assert (begun["transcript"], begun["conversationHistory"]) == ("", [])
    assert (await webhooks.tell(call, "in-progress")).status_code == 200
    await webhooks.is_over(call, 330)
    over = (await client.answer("GET", f"/calls/{call['_id']}", data=Shape({"call": CALL_WHEN_OVER})))["call"]
    assert (over["status"], over["metadata"]) == ("completed", METADATA)
    assert 0 <= over["durationSec"] < 10  # the carrier may not claim more than the time that went by
    assert over["recordingUrl"] == "https://exotel.com/recordings/call_123.mp3"
    listed = (await client.answer("GET", f"/calls?agentId={call['agentId']}", data=PAGE))["calls"]
    assert [line.items() <= over.items() for line in listed] == [True]


async def test_a_conversation_is_kept_word_by_word(world: World) -> None:
    client = Client(world.customer.http, world.customer.token)
    world.next_caller(WaitForAgent(), Say("tuesday please"), WaitForAgent(), HangUp())
    call = await world.customer.call()
    await world.customer.final_log(call["_id"])
    over = (await client.answer("GET", f"/calls/{call['_id']}", data=Shape({"call": CALL_WHEN_OVER})))["call"]
    history = over["conversationHistory"]
    assert [turn["role"] for turn in history] == ["assistant", "user", "assistant"]
    assert history[0]["content"] == GREETING
    who = {"user": "User", "assistant": "Agent"}
    assert over["transcript"] == "\n".join(f"{who[turn['role']]}: {turn['content']}" for turn in history)
    assert [turn["timestamp"] for turn in history] == sorted(turn["timestamp"] for turn in history)
    cost = over["costBreakdown"]
    assert cost["total"] == pytest.approx(sum(cost[kind] for kind in ("stt", "llm", "tts", "telephony")), abs=1e-9)
    assert min(cost["telephony"], cost["llm"], cost["stt"]) > 0
    played = await world.customer.http.get(over["recordingUrl"].replace("localhost", "127.0.0.1"))
    assert (played.status_code, played.headers["Content-Type"]) == (200, "audio/wav")
    agent = (await client.answer("GET", f"/agents/{call['agentId']}"))["agent"]
    stats = {"totalCalls": 1, "totalDuration": over["durationSec"], "avgDuration": over["durationSec"]}
    assert agent["stats"] == {**stats, "successRate": 1}


@pytest.mark.parametrize("call_id", [NOBODYS, "x", "sess_x"])
async def test_a_call_that_is_not_there_is_not_found(client: Client, call_id: str) -> None:
    assert (await client.refusal(404, "GET", f"/calls/{call_id}"))["message"] == "Call not found"
    await client.refusal(404, "POST", f"/calls/{call_id}/end", {"reason": "user_requested"})


async def test_a_call_is_ended_once(client: Client, carrier: Carrier) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    path = f"/calls/{call['sessionId']}/end"
    assert (await client.fields("POST", path, {"reason": ""})).keys() == {"reason"}
    response = await client.send("POST", path, {"reason": "user_requested"})
    assert response.json() == {
        "success": True,
        "message": "Call ended successfully",
        "data": {"sessionId": call["sessionId"], "status": "ended"},
    }
    over = (await client.answer("GET", f"/calls/{call['_id']}"))["call"]
    assert (over["status"], over["endReason"]) == ("canceled", "user_requested")
    await client.refusal(409, "POST", path, {"reason": "user_requested"})


async def test_a_call_is_ended_without_a_reason(client: Client, carrier: Carrier) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    ended = Shape({"sessionId": one_of(call["sessionId"]), "status": one_of("ended")})
    await client.answer("POST", f"/calls/{call['sessionId']}/end", data=ended)
