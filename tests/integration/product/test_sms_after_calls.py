"""A text message after a call, on the deployed product: from the end of the call to the report of its delivery."""

import asyncio
from typing import Any

import pytest

from simulators.caller import HangUp, WaitForAgent
from simulators.exotel_calls import RATE_LIMITED
from simulators.text_messages import SmsPlan
from tests.integration.product.customer import CALLER
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TEMPLATE = {
    "name": "Reminder",
    "content": "Dear {customer_name}, see you on {day} - Demo clinic",
    "dltTemplateId": "1107161234567890123",
    "dltEntityId": "1101234567890123456",
}


async def message_of(world: World, call: dict[str, Any], status: str) -> dict[str, Any]:
    """The message that followed a call, once it is in that status."""
    async with asyncio.timeout(30):
        while True:
            found = (await world.customer.get("GET", f"/sms-messages?callId={call['_id']}"))["smsMessages"]
            if found and found[0]["status"] == status:
                assert len(found) == 1
                message: dict[str, Any] = found[0]
                return message
            await asyncio.sleep(0.1)


async def test_a_call_is_followed_by_its_message(world: World) -> None:
    customer = world.customer
    template = (await customer.get("POST", "/sms-templates", TEMPLATE))["smsTemplate"]
    hook = {"name": "CRM", "url": "https://hooks.invalid/callboard", "events": ["sms.sent"]}
    endpoint = (await customer.get("POST", "/webhook-endpoints", hook))["webhook"]["_id"]
    rule = {"smsTemplateId": template["rootId"], "smsAfter": {"outcomes": ["answered"]}, "firstMessage": "Goodbye."}
    agent_id = await customer.agent(**rule)
    phone = await customer.phone(agent_id)
    strict = SmsPlan(requires_registration=True)
    world.carrier.texts.plans.add(SmsPlan(refusal=RATE_LIMITED), strict)
    world.next_caller(WaitForAgent(), HangUp())
    known = {"customer_name": "Asha", "day": "Tuesday"}
    order = {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id, "variables": known}
    call = (await customer.get("POST", "/calls/outbound", order))["call"]
    assert (await customer.final_log(call["_id"]))["status"] == "completed"

    message = await message_of(world, call, "delivered")
    [sms] = world.carrier.messages
    assert sms.text == message["text"] == "Dear Asha, see you on Tuesday - Demo clinic"
    assert (sms.from_number, sms.to_number) == (phone["number"], CALLER)
    assert (sms.dlt_template_id, sms.dlt_entity_id) == (TEMPLATE["dltTemplateId"], TEMPLATE["dltEntityId"])
    assert (message["carrierMessageId"], message["templateVersionId"]) == (sms.sid, template["_id"])
    assert message["attempts"] == 2, "the carrier had no time for the first"
    assert [reported.answered for reported in world.carrier.texts.reported] == [200, 200]
    [told] = (await customer.get("GET", f"/webhook-endpoints/{endpoint}/logs"))["deliveries"]
    assert told["event"] == "sms.sent"
