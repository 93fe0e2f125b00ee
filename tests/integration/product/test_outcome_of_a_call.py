"""A call placed with variables, whose agent says what it came to and hangs up in one breath, on real parts."""

from typing import Any

import pytest

from simulators.caller import Say, StaySilent, WaitForAgent
from simulators.tool_calls import Answer, Wanted
from tests.integration.product.customer import CALLER
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


async def test_an_agent_knows_whom_it_calls_and_says_what_the_call_came_to(world: World) -> None:
    word = Wanted("set_disposition", {"name": "call back", "notes": "On Tuesday"})
    world.llm.answer = lambda _: Answer("Until then.", (word, Wanted("end_call")))
    world.next_caller(WaitForAgent(), Say("tuesday please"), StaySilent(30))
    customer = world.customer
    agent_id = await customer.agent(
        prompt="Ask {customer_name} for a day.",
        firstMessage="Hello {customer_name}, which day?",
        tools={"builtIn": ["end_call"]},
        dispositions=["booked", "call back"],
    )
    phone = await customer.phone(agent_id)
    order = {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id}
    call = await customer.get("POST", "/calls/outbound", order | {"variables": {"customer_name": "Asha"}})
    log = await customer.final_log(call["call"]["_id"])
    assert (log["status"], log["endReason"]) == ("completed", "agent_ended")
    assert log["conversationHistory"][0]["content"] == "Hello Asha, which day?"
    assert (log["disposition"]["name"], log["disposition"]["notes"]) == ("call back", "On Tuesday")
    assert "by" not in log["disposition"]
    asked = world.llm.requests[-1]
    assert str(asked.messages[0]["content"]).startswith("Ask Asha for a day.")
    offered: list[Any] = [tool["function"] for tool in asked.tools]
    assert [function["name"] for function in offered] == ["end_call", "set_disposition"]
