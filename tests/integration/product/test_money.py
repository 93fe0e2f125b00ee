"""What a call does to the account, from the hold before it is dialled to the last entry."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from actors.call_session.prompt import NO_CREDITS
from models.money import to_credits
from simulators.caller import HangUp, Say, StaySilent, WaitForAgent
from tests.integration.product.contract.accounts import insert_account
from tests.integration.product.customer import Customer
from tests.integration.product.world import World
from tests.money import STEP

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

CREDIT = to_credits(STEP)
"""What a call begins with, in credits."""


async def settled(customer: Customer, call_id: str) -> list[dict[str, Any]]:
    """The call's movements, the first one first, once the last is there: a moment after the log is final."""
    async with asyncio.timeout(30):
        while True:
            found: list[dict[str, Any]] = (await customer.get("GET", f"/billing/ledger?callId={call_id}"))["entries"]
            if found[0]["type"] in ("settle", "release"):
                return found[::-1]
            await asyncio.sleep(0.1)


async def balance(customer: Customer) -> dict[str, Any]:
    found: dict[str, Any] = (await customer.get("GET", "/billing/balance"))["balance"]
    return found


async def test_a_call_holds_credit_and_pays_what_it_used(world: World) -> None:
    world.next_caller(WaitForAgent(), Say("yes please"), WaitForAgent(), HangUp())
    before = await balance(world.customer)
    call = await world.customer.call()
    during = await balance(world.customer)
    assert (during["balance"], during["held"]) == (before["balance"], pytest.approx(CREDIT))
    assert (await world.customer.get("GET", "/auth/me"))["user"]["credits"] == pytest.approx(during["available"])
    log = await world.customer.final_log(call["_id"])
    cost = log["costBreakdown"]["total"]
    movements = [
        (entry["type"], entry["amount"], entry["held"]) for entry in await settled(world.customer, call["_id"])
    ]
    assert movements[0] == ("hold", 0, CREDIT)
    held = sum(held for _, _, held in movements[:-1])
    assert movements[-1] == ("settle", pytest.approx(-cost), pytest.approx(-held))
    after = await balance(world.customer)
    assert (after["balance"], after["held"]) == (pytest.approx(before["balance"] - cost), 0)


async def test_a_call_on_the_last_credit_ends_in_words_before_it_is_used_up(world: World) -> None:
    owner = await insert_account(world.settings, world.customer.http, "admin")
    poor = replace(world.customer, token=owner.access)
    await poor.get("POST", "/billing/credits", {"amount": round(1.02 * CREDIT, 6), "reason": "one call"})
    world.next_caller(WaitForAgent(), StaySilent(90.0), HangUp())
    call = await poor.call()
    refused = await poor.ask("POST", "/calls/outbound", _again(call))
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "INSUFFICIENT_CREDITS")
    log = await poor.final_log(call["_id"], within_s=90.0)
    assert log["conversationHistory"][-1]["content"] == NO_CREDITS
    assert log["status"] == "completed"
    assert 25 < log["durationSec"] < 60
    assert [entry["type"] for entry in await settled(poor, call["_id"])] == ["hold", "settle"]
    left = await balance(poor)
    assert left["held"] == 0
    assert left["balance"] == pytest.approx(1.02 * CREDIT - log["costBreakdown"]["total"], abs=1e-6)
    assert left["balance"] > 0


def _again(call: dict[str, Any]) -> dict[str, Any]:
    return {name: call[name] for name in ("fromPhone", "toPhone", "agentId")}
