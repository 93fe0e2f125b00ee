"""The product with every line busy: what clients, carriers and callers are told, and that it passes."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from simulators.caller import Script, StaySilent
from simulators.carrier import NotConnected, Plan
from tests.integration.product.customer import CALLER, Customer
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

TALKING = Plan(Script((StaySilent(120),)), dial_s=0.1, ring_s=0.2)
ROOM_S = 20.0
"""An actor is lent again as soon as it has written the end of its call."""


@dataclass(frozen=True)
class Line:
    """A number of the customer's and its agent, to call from and to call at."""

    customer: Customer
    phone: dict[str, Any]
    agent_id: str

    async def place(self) -> httpx.Response:
        """Order one call."""
        order = {"fromPhone": self.phone["number"], "toPhone": CALLER, "agentId": self.agent_id}
        return await self.customer.ask("POST", "/calls/outbound", order)

    async def placed(self) -> dict[str, Any]:
        """One call, as soon as there is room for it."""
        async with asyncio.timeout(ROOM_S):
            while (answer := await self.place()).status_code == 503:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(float(answer.headers["Retry-After"]) / 5)
        assert answer.status_code == 201, answer.text
        call: dict[str, Any] = answer.json()["data"]["call"]
        return call

    async def held(self) -> float:
        """The customer's credit that is set aside."""
        held: float = (await self.customer.get("GET", "/billing/balance"))["balance"]["held"]
        return held


@pytest.fixture
async def line(world: World) -> Line:
    """A fresh one; whoever is dialled picks up and stays."""
    world.carrier.plans.default = TALKING
    agent_id = await world.customer.agent()
    return Line(world.customer, await world.customer.phone(agent_id), agent_id)


async def end(line: Line, call: dict[str, Any]) -> None:
    """End a call and wait for its log."""
    answer = await line.customer.ask("POST", f"/calls/{call['sessionId']}/end", {"reason": "user_requested"})
    assert answer.status_code == 200, answer.text
    await line.customer.final_log(call["_id"])


async def test_with_every_line_busy_clients_get_503_and_callers_the_busy_tone_until_one_is_free(
    world: World, line: Line
) -> None:
    calls = [await line.placed() for _ in range(world.settings.call_slots)]
    for call in calls:
        await world.until_status(call["_id"], "in-progress")
    held = await line.held()

    refused = await line.place()
    assert refused.status_code == 503, refused.text
    error = refused.json()["error"]
    assert (error["code"], error["details"]) == ("INTERNAL_ERROR", {"retryAfter": int(refused.headers["Retry-After"])})
    assert len(world.carrier.calls) == len(calls)

    address = urlsplit((await world.customer.get("GET", "/phones"))["phones"][0]["incomingUrl"])
    webhook = f"{world.url}{address.path}?{address.query}"
    with pytest.raises(NotConnected) as turned_away:
        await world.carrier.call_in(webhook, Script(()), from_number="+919123456789", to_number=line.phone["number"])
    assert turned_away.value.reason == "busy"
    (logged,) = (await world.customer.get("GET", "/calls?direction=inbound"))["calls"]
    log = await world.customer.log(logged["_id"])
    assert (log["status"], log["endReason"], log["durationSec"]) == ("busy", "no-capacity", 0)
    assert (await world.customer.get("GET", "/calls"))["pagination"]["total"] == len(calls) + 1
    assert await line.held() == pytest.approx(held)

    await end(line, calls.pop())
    calls.append(await line.placed())
    await world.until_status(calls[-1]["_id"], "in-progress")
    for call in calls:
        await end(line, call)
