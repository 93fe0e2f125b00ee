"""Other versions, and other numbers of replicas, under live calls; the product taken out of service: no call is cut.

What is deployed here in place of the package's platform is replaced by that again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import psutil
import pytest

from simulators.caller import HangUp, Say, StaySilent, WaitForAgent
from tests.integration.product.customer import CALLER
from tests.integration.product.survivor import Survivor
from tests.integration.product.victims import CALL_ACTOR, REPLICA, is_gone, processes
from tests.integration.product.world import World
from tests.integration.test_deploy import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SHORT = (WaitForAgent(), Say("yes please"), WaitForAgent(), HangUp())
PATIENT = (WaitForAgent(), Say("yes please"), WaitForAgent(), StaySilent(2.0))
TIMES = 60
GONE_S = 40.0
"""A replica looks every few seconds whether its last call is over."""


@pytest.fixture
async def deployed(world: World) -> AsyncIterator[Deployed]:
    """The platform of the package, to be changed."""
    product = Deployed(world.settings)
    yield product
    own = world.settings
    await asyncio.to_thread(
        product.deploy, serve_replicas=own.serve_replicas, idempotency_keep_s=own.idempotency_keep_s
    )


async def until(happened: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(GONE_S):
        while not happened():  # noqa: ASYNC110 - it is in other processes
            await asyncio.sleep(0.2)


async def all_gone(old: Sequence[psutil.Process]) -> None:
    """Wait until none of them runs."""
    try:
        await until(lambda: all(is_gone(process) for process in old))
    except TimeoutError:
        left = [process.cmdline() for process in old if not is_gone(process)]
        raise AssertionError(f"still there: {left}") from None


async def test_versions_and_numbers_of_replicas_change_under_a_call(world: World, deployed: Deployed) -> None:
    world.llm.answer = lambda _: "Which day would you like?"
    patient = Survivor(world)
    await patient.begins(*(PATIENT * TIMES), sessionTimeout=600)
    actor = await patient.is_carried()
    old = processes(CALL_ACTOR) + processes(REPLICA)
    for replicas in (3, 2):
        # Each a revision that was never there: with that of before, the actors of before would be welcome again.
        await asyncio.to_thread(deployed.deploy, serve_replicas=replicas, idempotency_keep_s=80_000 + replicas)
        newcomer = Survivor(world)
        await newcomer.begins(*SHORT)
        assert await newcomer.is_carried() not in old
        await newcomer.check(await newcomer.ends())
        assert patient.actor() == actor
    await world.customer.get("POST", f"/calls/{patient.call['sessionId']}/end", {})
    report = await patient.ends()
    assert len(patient.said("user")) >= len(report.utterances) - 1 > 2  # the last may have been cut by the end
    assert not patient.was_bridged
    await patient.check(report, ended_by="platform")
    await all_gone(old)
    assert len(processes(REPLICA)) == 2


async def test_drained_the_product_finishes_its_calls_and_takes_no_other(world: World, deployed: Deployed) -> None:
    last = Survivor(world)
    await last.begins(WaitForAgent(), StaySilent(6.0), Say("yes please"), WaitForAgent(), HangUp())
    await last.is_carried()
    draining = asyncio.create_task(asyncio.to_thread(deployed.drain))
    await until(lambda: len(processes(CALL_ACTOR)) <= 1)
    order = {name: last.call[name] for name in ("fromPhone", "agentId")} | {"toPhone": CALLER}
    refused = await world.customer.ask("POST", "/calls/outbound", order)
    assert refused.status_code == 503, refused.text
    await last.check(await last.ends())
    assert "No call is left." in await draining
