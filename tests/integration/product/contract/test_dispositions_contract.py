"""Variables, the do-not-call list and dispositions of calls, over HTTP."""

import pytest

from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING
from tests.integration.product.contract.document import CALL, LISTED_CALL, PLACED_CALL, page_of
from tests.integration.product.contract.shapes import Shape
from tests.integration.product.contract.test_dnc_contract import a_number

pytestmark = pytest.mark.integration

ONE = Shape({"call": CALL})


async def test_a_call_is_placed_with_variables(client: Client, carrier: Carrier) -> None:
    carrier.plans.add(RINGING)
    agent_id = await client.agent(prompt="Sell {product} to whoever answers.")
    order = await client.order(agentId=agent_id)
    fields = await client.fields("POST", "/calls/outbound", order | {"variables": {"name": "Asha"}})
    assert fields == {"variables.product": "{product} has no value"}
    order |= {"variables": {"product": "a loan"}}
    call = (await client.answer("POST", "/calls/outbound", order, status=201, data=Shape({"call": PLACED_CALL})))[
        "call"
    ]
    shown = (await client.answer("GET", f"/calls/{call['_id']}", data=ONE))["call"]
    assert shown["variables"] == {"product": "a loan"}
    await client.answer("POST", f"/calls/{call['sessionId']}/end")


async def test_a_number_on_the_list_is_not_called(client: Client, carrier: Carrier) -> None:
    order = await client.order(toPhone=a_number())
    await client.answer("POST", "/dnc", {"number": order["toPhone"], "reason": "Asked us not to"}, status=201)
    assert (await client.fields("POST", "/calls/outbound", order)).keys() == {"toPhone"}
    assert carrier.calls == {}


async def test_what_a_call_came_to_is_said_and_found(client: Client, carrier: Carrier) -> None:
    carrier.plans.add(RINGING)
    call = await client.call(agentId=await client.agent(dispositions=["interested", "call back"]))
    path = f"/calls/{call['_id']}/disposition"
    said = (await client.answer("PATCH", path, {"name": "call back", "notes": "On Monday"}, data=ONE))["call"]
    assert (said["disposition"]["name"], said["disposition"]["notes"]) == ("call back", "On Monday")
    listed = await client.answer(
        "GET", "/calls", data=page_of("calls", LISTED_CALL), params={"disposition": "call back"}
    )
    assert [line["_id"] for line in listed["calls"]] == [call["_id"]]
    assert (await client.fields("PATCH", path, {"name": "sold"})).keys() == {"name"}
    await client.refusal(404, "PATCH", f"/calls/{call['agentId']}/disposition", {"name": "call back"})
    await client.answer("POST", f"/calls/{call['sessionId']}/end")
