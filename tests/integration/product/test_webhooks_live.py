"""Webhooks of the running product: told in order and genuine to a receiver that was away, and never led astray."""

import asyncio
from typing import Any

import pytest

from bench.webhook_receiver import Answers, Receiver, verified
from cli.embedded.ports import free_port
from models.webhook import EVENT_TYPES
from simulators.caller import HangUp, Script, WaitForAgent
from simulators.carrier import Plan
from simulators.exotel_calls import Outcome
from tests.integration.product.customer import Customer
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

SECRET = "my-secret-key"
WHOLE_CALL = [
    "call.initiated",
    "call.state_changed ringing",
    "call.state_changed in-progress",
    "call.answered",
    "call.started",
    "call.state_changed completed",
    "call.completed",
    "call.ended",
    "transcription.complete",
    "recording.ready",
]
DOWN_S = 3.0
TOLD_S = 25.0


def endpoint(url: str) -> dict[str, Any]:
    """Told of everything."""
    return {"name": "CRM", "url": url, "events": list(EVENT_TYPES), "secret": SECRET}


async def told(customer: Customer, endpoint_id: str, count: int, status: str) -> list[dict[str, Any]]:
    """The deliveries of a status, the first one first, once there are so many."""
    path = f"/webhook-endpoints/{endpoint_id}/logs?status={status}&limit=100"
    async with asyncio.timeout(TOLD_S):
        while True:
            found: list[dict[str, Any]] = (await customer.get("GET", path))["deliveries"]
            if len(found) >= count:
                return found[::-1]
            await asyncio.sleep(0.2)


async def test_a_receiver_that_was_down_is_told_a_whole_call_in_order_and_it_is_genuine(world: World) -> None:
    customer, receiver = world.customer, Receiver(port=free_port())
    made = await customer.get("POST", "/webhook-endpoints", endpoint(receiver.url))
    world.next_caller(WaitForAgent(), HangUp())
    call = await customer.call(firstMessage="Hello?")
    await asyncio.sleep(DOWN_S)
    async with receiver.up():
        await customer.final_log(call["_id"])
        deliveries = await told(customer, made["webhook"]["_id"], len(WHOLE_CALL), "delivered")
    messages = [each.message for each in receiver.got]
    assert [f"{each['event']} {each['data'].get('state', '')}".strip() for each in messages] == WHOLE_CALL
    assert {each["data"]["call_id"] for each in messages} == {call["_id"]}
    assert await verified(receiver.got, SECRET) == len(WHOLE_CALL)
    assert {each["eventId"] for each in deliveries} == {each.id for each in receiver.got}
    (first,) = [each for each in deliveries if each["event"] == "call.initiated"]
    assert first["attempts"][0]["error"] == "The receiver cannot be reached"
    assert first["attempts"][-1]["statusCode"] == 200


async def test_a_receiver_that_leads_to_our_own_machine_is_not_followed_and_the_log_says_so(world: World) -> None:
    customer, receiver, inside = world.customer, Receiver(), Receiver(host="127.0.0.1")
    busy = ("call.initiated", "call.failed", "call.ended")
    async with receiver.up() as url, inside.up() as secret_url:
        receiver.answers = Answers(status=302, location=secret_url)
        made = await customer.get("POST", "/webhook-endpoints", {**endpoint(url), "events": busy})
        address = f"/webhook-endpoints/{made['webhook']['_id']}"
        world.carrier.plans.add(Plan(Script(()), Outcome.BUSY, dial_s=0.1, ring_s=0.1))
        await customer.call()
        refused = await told(customer, made["webhook"]["_id"], len(busy), "dead")
        assert {each["error"] for each in refused} == {"The receiver answered with HTTP status 302"}
        assert [len(each["attempts"]) for each in refused] == [1, 1, 1]
        tested = await customer.get("POST", f"{address}/test")
        assert (tested["success"], tested["statusCode"]) == (False, 302)
        straight = await customer.ask("POST", "/webhook-endpoints", endpoint(secret_url))
        assert (straight.status_code, straight.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
        receiver.answers = Answers()
        assert (await customer.get("POST", f"{address}/replay"))["replayed"] == len(busy) + 1  # the test as well
        await told(customer, made["webhook"]["_id"], len(busy) + 1, "delivered")
    taken = [each.message["event"] for each in receiver.got if each.is_taken]
    assert [each for each in taken if each in busy] == list(busy)
    assert inside.got == []
