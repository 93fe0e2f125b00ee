"""A campaign on the running product: its actor is killed in the middle, and nobody is called twice or forgotten."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from typing import Any

import psutil
import pytest

from models.campaign import WEEKDAYS, Campaign, CampaignRules, CampaignStatus, Pacing, Retries, Retry, Window
from models.contact import Contact
from models.document import Id
from models.settings import Settings
from simulators.carrier import Plan
from simulators.exotel_calls import Outcome
from simulators.steps import HangUp, Script, StaySilent
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.integration.product.victims import is_gone, processes
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CAMPAIGN_ACTOR = "ray::CampaignActor"
SHORT = Plan(Script((StaySilent(1.0), HangUp())), dial_s=0.1, ring_s=0.2)
BUSY = Plan(Script(()), Outcome.BUSY, dial_s=0.1, ring_s=0.2)
RULES = CampaignRules(
    windows=(Window(days=WEEKDAYS, opens=time(0), closes=time(0)),),
    requires_consent=False,
    pacing=Pacing(max_concurrency=3, calls_per_minute=600),
    retries=Retries(max_attempts=1, busy=Retry(max_attempts=1)),
)


@pytest.fixture
async def stores(platform: Settings) -> AsyncIterator[Repositories]:
    """What the product has written."""
    async with connect(platform) as client:
        yield Repositories.over(database(client, platform))


async def a_campaign(world: World, stores: Repositories, contacts: int) -> Campaign:
    """One that somebody has just started."""
    agent_id = await world.customer.agent()
    phone = await world.customer.phone(agent_id)
    user = await world.customer.get("GET", "/auth/me")
    owner = await stores.users.by_id(Id((user.get("user") or user)["_id"]))
    assert owner is not None
    now = datetime.now(UTC)
    dates: dict[str, Any] = {"created_at": now, "updated_at": now, "organization_id": owner.organization_id}
    campaign = Campaign(
        **dates,
        user_id=owner.id,
        name="Spring",
        status=CampaignStatus.SCHEDULED,
        agent_id=Id(agent_id),
        from_phone=phone["number"],
        rules=RULES,
        needs_runner=True,
        news=1,
    )
    people = [
        Contact(**dates, campaign_id=campaign.id, number=f"+9198{n:08d}", time_zone="Asia/Kolkata", next_at=now, line=n)
        for n in range(1, contacts + 1)
    ]
    await stores.contacts.insert_batch(people)
    return await stores.campaigns.insert(campaign)


async def until_over(stores: Repositories, campaign_id: Id, within_s: float = 90.0) -> Campaign:
    """The campaign at rest."""
    async with asyncio.timeout(within_s):
        while True:
            campaign = await stores.campaigns.by_id(campaign_id)
            assert campaign is not None
            if campaign.status.is_final and not campaign.needs_runner:
                return campaign
            await asyncio.sleep(0.2)


async def until_talking(world: World, callers: int) -> None:
    """Some calls are answered."""
    async with asyncio.timeout(30):
        while sum(call.state.answered is not None for call in world.carrier.calls.values()) < callers:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def killed() -> psutil.Process:
    """The campaign's actor, dead."""
    [actor] = processes(CAMPAIGN_ACTOR)
    actor.kill()
    async with asyncio.timeout(10):
        while not is_gone(actor):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.05)
    return actor


async def test_a_campaign_whose_actor_is_killed_calls_everybody_once(world: World, stores: Repositories) -> None:
    world.carrier.plans.default = SHORT
    world.carrier.plans.add(BUSY, SHORT, BUSY)
    campaign = await a_campaign(world, stores, 12)
    await until_talking(world, 3)
    await killed()
    done = await until_over(stores, campaign.id)
    assert done.status is CampaignStatus.COMPLETED
    dials = Counter(call.state.from_number for call in world.carrier.calls.values())
    assert dials == Counter({f"+9198{n:08d}": 1 for n in range(1, 13)})
    assert done.counters.contacts == {"done": 12}
    assert done.counters.finals == done.counters.attempts == {"answered": 10, "busy": 2}
    page = await stores.contacts.listed(campaign.organization_id, campaign.id, None, page=1, limit=50)
    logs = await stores.calls.by_ids(each.attempts[0].call_id for each in page.items)
    assert Counter(call.status.value for call in logs.values()) == {"completed": 10, "busy": 2}
    assert all(call.campaign is not None and call.campaign.campaign_id == campaign.id for call in logs.values())
    async with asyncio.timeout(15):
        while processes(CAMPAIGN_ACTOR):  # noqa: ASYNC110 - it leaves by itself
            await asyncio.sleep(0.2)
