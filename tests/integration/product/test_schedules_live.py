"""Scheduled calls of the running product, from the order over REST to the carrier."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.caller import Script
from simulators.carrier import CarrierCall, Plan
from simulators.exotel_calls import Outcome
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

BUSY = Plan(Script(()), Outcome.BUSY, dial_s=0.0, ring_s=0.0)
LATE_S = 1.0
LONG_S = 10.0


class Line:
    """A phone and an agent that call numbers nobody else calls."""

    def __init__(self, world: World, phone: str, agent_id: str) -> None:
        self._world = world
        self._phone = phone
        self._agent_id = agent_id

    async def schedule(self, due_at: datetime) -> dict[str, Any]:
        """A call at that moment."""
        order = {
            "fromPhone": self._phone,
            "toPhone": f"+9198{secrets.randbelow(10**8):08d}",
            "agentId": self._agent_id,
            "localTime": due_at.astimezone(UTC).replace(tzinfo=None).isoformat(),
            "timezone": "UTC",
        }
        made: dict[str, Any] = (await self._world.customer.get("POST", "/schedules", order))["schedule"]
        return made

    def dialled(self, schedule: dict[str, Any]) -> list[CarrierCall]:
        """What the carrier was asked for."""
        return [each for each in self._world.carrier.calls.values() if each.state.from_number == schedule["toPhone"]]


@pytest.fixture
async def line(world: World) -> Line:
    """A fresh one; whoever is dialled is busy."""
    world.carrier.plans.default = BUSY
    agent_id = await world.customer.agent()
    return Line(world, (await world.customer.phone(agent_id))["number"], agent_id)


def soon(seconds: float = 3) -> datetime:
    """The whole second before so many have passed."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


async def test_a_scheduled_call_is_dialled_once_and_not_early_and_its_history_has_the_call(
    world: World, line: Line
) -> None:
    made = await line.schedule(due_at := soon())
    async with asyncio.timeout(LONG_S):
        while (found := await world.customer.get("GET", f"/schedules/{made['_id']}"))["schedule"]["status"] != "done":  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.1)
    assert "nextAt" not in found["schedule"]
    (occurrence,) = (await world.customer.get("GET", f"/schedules/{made['_id']}/occurrences"))["occurrences"]
    log = await world.customer.final_log(occurrence["callId"])
    assert (occurrence["outcome"], log["toPhone"], log["status"]) == ("done", made["toPhone"], "busy")
    (call,) = line.dialled(made)
    late_s = (call.state.created - due_at).total_seconds()
    print(f"dialled {late_s:.2f} s late")  # noqa: T201 - a measurement
    assert late_s >= 0.0


async def test_a_scheduled_call_that_was_cancelled_is_not_dialled(world: World, line: Line) -> None:
    due_at = soon(10)  # it is claimed two seconds before, and cannot be cancelled then
    made, other = await asyncio.gather(line.schedule(due_at), line.schedule(due_at))
    assert (await world.customer.ask("DELETE", f"/schedules/{made['_id']}")).status_code == 200
    async with asyncio.timeout(LONG_S):
        while not line.dialled(other):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.1)
    await asyncio.sleep(LATE_S)
    assert line.dialled(made) == []
    assert (await world.customer.get("GET", f"/schedules/{made['_id']}"))["schedule"]["status"] == "cancelled"
    assert (await world.customer.get("GET", f"/schedules/{made['_id']}/occurrences"))["occurrences"] == []
