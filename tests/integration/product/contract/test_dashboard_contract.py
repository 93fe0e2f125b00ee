"""/dashboard as documented, over HTTP."""

import pytest

from models.document import new_id
from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING
from tests.integration.product.contract.document import STATS
from tests.integration.product.contract.shapes import Shape
from tests.integration.product.contract.webhooks import Webhooks

pytestmark = pytest.mark.integration

ANSWER = Shape({"stats": STATS})


async def test_an_account_without_calls_has_stats_of_nothing(client: Client) -> None:
    stats = (await client.answer("GET", "/dashboard/stats?toDate=2020-01-01", data=ANSWER))["stats"]
    assert stats == {
        "totalCalls": 0,
        "totalDuration": 0,
        "avgDuration": 0,
        "successRate": 0,
        "totalCost": 0,
        "callsByStatus": {},
        "callsByDirection": {"inbound": 0, "outbound": 0},
        "topAgents": [],
    }


async def test_stats_count_what_the_calls_were(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    carrier.plans.default = RINGING
    long, short, busy = await client.call(), await client.call(), await client.call()
    await webhooks.is_over(long, 300)
    await webhooks.is_over(short, 100)
    await webhooks.tell(busy, "busy")
    phone = await client.phone(long["agentId"])
    news = {"From": "+919123456789", "To": phone["number"], "CallSid": new_id(), "Direction": "inbound"}
    assert (await webhooks.http.post(webhooks.local(phone["incomingUrl"]), json=news)).status_code == 200
    stats = (await client.answer("GET", "/dashboard/stats", data=ANSWER))["stats"]
    assert (stats["totalCalls"], stats["totalDuration"]) == (4, 400)
    assert stats["callsByStatus"] == {"completed": 2, "busy": 1, "initiated": 1}
    assert stats["callsByDirection"] == {"outbound": 3, "inbound": 1}
    assert stats["successRate"] == pytest.approx(2 / 3, abs=0.001)
    assert stats["topAgents"][0] | {"avgDuration": 0} == {
        "agentId": long["agentId"],
        "agentName": "Clinic",
        "totalCalls": 2,
        "avgDuration": 0,
    }
    assert {agent["agentId"] for agent in stats["topAgents"]} == {call["agentId"] for call in (long, short, busy)}
    costs = [(await client.answer("GET", f"/calls/{call['_id']}"))["call"]["costBreakdown"] for call in (long, short)]
    assert stats["totalCost"] == pytest.approx(sum(cost["total"] for cost in costs), abs=1e-4)
    day = long["createdAt"][:10]
    today = (await client.answer("GET", f"/dashboard/stats?fromDate={day}", data=ANSWER))["stats"]
    assert today == stats
    before = await client.answer("GET", "/dashboard/stats?fromDate=2020-01-01&toDate=2020-12-31", data=ANSWER)
    assert before["stats"]["totalCalls"] == 0
    since = (await client.answer("GET", f"/dashboard/stats?fromDate={short['createdAt']}", data=ANSWER))["stats"]
    assert since["totalCalls"] == 3


@pytest.mark.parametrize("field", ["fromDate", "toDate"])
async def test_a_wrong_date_is_named(client: Client, field: str) -> None:
    assert (await client.fields("GET", f"/dashboard/stats?{field}=soon")).keys() == {field}
