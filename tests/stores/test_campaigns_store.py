"""Campaigns against the real database: who of many decides, what an actor hears of, what is told."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.campaign import Campaign, CampaignCounters, CampaignStatus
from models.document import Id, new_id
from models.errors import NotFound
from stores.campaigns import KEPT_CHANGES
from stores.repositories import Repositories
from tests.campaigns import a_campaign
from tests.documents import NOW
from tests.lost_answers import lose_one

pytestmark = pytest.mark.integration

DRAFT, SCHEDULED, RUNNING, PAUSED, COMPLETED, STOPPED = CampaignStatus
USER = new_id()
LATER = NOW + timedelta(minutes=1)


async def made(stores: Repositories, organization_id: Id, *statuses: CampaignStatus) -> Campaign:
    """A campaign that a user has brought through these statuses."""
    campaign = await stores.campaigns.insert(a_campaign(organization_id))
    for status in statuses:
        campaign = await moved(stores, campaign, status)
    return campaign


async def moved(stores: Repositories, campaign: Campaign, status: CampaignStatus, by: Id | None = USER) -> Campaign:
    """The campaign a status further."""
    found = await stores.campaigns.become(campaign, status, LATER, since=(campaign.status,), by=by)
    assert found is not None
    return found


async def now(stores: Repositories, campaign: Campaign) -> Campaign:
    """The campaign as it is stored."""
    return await stores.campaigns.get(campaign.organization_id, campaign.id)


class TestDeciding:
    async def test_a_decision_is_written_with_who_made_it_and_asks_for_an_actor(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        campaign = await made(stores, organization_id)
        started = await stores.campaigns.become(campaign, SCHEDULED, LATER, since=(DRAFT,), reason="Go", by=USER)
        assert started == await now(stores, campaign)
        assert (started.status, started.status_reason, started.needs_runner, started.news) == (
            SCHEDULED, "Go", True, 1,
        )  # fmt: skip
        [change] = started.changes
        assert (change.number, change.status, change.reason, change.at, change.by) == (1, SCHEDULED, "Go", LATER, USER)
        assert (started.modified_by, started.untold, started.started_at) == (USER, True, None)

    async def test_from_another_status_nothing_is_written(self, stores: Repositories, organization_id: Id) -> None:
        campaign = await made(stores, organization_id)
        assert await stores.campaigns.become(campaign, PAUSED, LATER, since=(RUNNING,), by=USER) is None
        assert await now(stores, campaign) == campaign

    async def test_of_twenty_who_decide_at_once_one_has_decided(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        campaign = await made(stores, organization_id, SCHEDULED, RUNNING)
        decided = [
            stores.campaigns.become(campaign, status, LATER + timedelta(seconds=at), since=(RUNNING,), by=new_id())
            for at, status in enumerate((PAUSED, STOPPED) * 10)
        ]
        found = [each for each in await asyncio.gather(*decided) if each is not None]
        assert [each.status for each in found] == [(await now(stores, campaign)).status]
        assert [change.number for change in (await now(stores, campaign)).changes] == [1, 2, 3]

    async def test_whoever_has_read_an_older_campaign_decides_nothing(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        old = await made(stores, organization_id, SCHEDULED, RUNNING)
        again = await moved(stores, await moved(stores, old, PAUSED), RUNNING)
        assert await stores.campaigns.become(old, PAUSED, LATER, since=(RUNNING,), by=new_id()) is None
        assert await now(stores, old) == again

    async def test_a_decision_that_arrived_before_its_connection_broke_is_made(
        self, stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = await made(stores, organization_id)
        lose_one(stores.campaigns, monkeypatch)
        started = await moved(stores, campaign, SCHEDULED)
        assert (started.status, len(started.changes), started.news) == (SCHEDULED, 1, 1)

    async def test_the_moments_are_those_of_the_first_start_and_the_end(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        running = await made(stores, organization_id, SCHEDULED, RUNNING)
        assert (running.started_at, running.ended_at) == (LATER, None)
        paused = await moved(stores, running, PAUSED)
        at = LATER + timedelta(hours=1)
        again = await stores.campaigns.become(paused, RUNNING, at, since=(PAUSED,), by=USER)
        assert again is not None
        over = await stores.campaigns.become(again, STOPPED, at, since=(RUNNING,), by=USER)
        assert over is not None
        assert (over.started_at, over.ended_at) == (LATER, at)

    async def test_the_last_changes_are_kept(self, stores: Repositories, organization_id: Id) -> None:
        campaign = await made(stores, organization_id, SCHEDULED)
        for _ in range(KEPT_CHANGES // 2 + 1):
            campaign = await moved(stores, await moved(stores, campaign, RUNNING), PAUSED)
        assert len(campaign.changes) == KEPT_CHANGES
        assert campaign.changes[-1].number == KEPT_CHANGES + 3


class TestActors:
    async def test_an_actor_decides_without_news_for_itself(self, stores: Repositories, organization_id: Id) -> None:
        scheduled = await made(stores, organization_id, SCHEDULED)
        running = await moved(stores, scheduled, RUNNING, by=None)
        assert (running.news, running.needs_runner, running.changes[-1].by) == (scheduled.news, True, None)

    async def test_a_campaign_with_news_is_not_complete(self, stores: Repositories, organization_id: Id) -> None:
        seen = await made(stores, organization_id, SCHEDULED, RUNNING)
        await stores.campaigns.stir(seen.id, LATER)
        assert await stores.campaigns.become(seen, COMPLETED, LATER, since=(RUNNING,)) is None
        assert await stores.campaigns.become(await now(stores, seen), COMPLETED, LATER, since=(RUNNING,)) is not None

    async def test_an_actor_rests_unless_there_is_news(self, stores: Repositories, organization_id: Id) -> None:
        seen = await made(stores, organization_id, SCHEDULED, RUNNING, PAUSED)
        resumed = await moved(stores, seen, RUNNING)
        assert not await stores.campaigns.rest(seen, LATER)
        assert (await now(stores, seen)).needs_runner
        assert await stores.campaigns.rest(resumed, LATER)
        assert not (await now(stores, seen)).needs_runner

    @pytest.mark.parametrize(
        ("statuses", "news", "asks"),
        [
            ((), 0, False),
            ((SCHEDULED,), 1, True),
            ((SCHEDULED, RUNNING), 1, True),
            ((SCHEDULED, RUNNING, PAUSED), 1, False),
            ((SCHEDULED, STOPPED), 0, False),
        ],
        ids=["draft", "scheduled", "running", "paused", "stopped"],
    )
    async def test_new_contacts_are_news_while_somebody_may_call_them(
        self, stores: Repositories, organization_id: Id, statuses: Collection[CampaignStatus], news: int, asks: bool
    ) -> None:
        before = await made(stores, organization_id, *statuses)
        assert await stores.campaigns.rest(before, LATER)
        await stores.campaigns.stir(before.id, LATER)
        after = await now(stores, before)
        assert (after.news - before.news, after.needs_runner) == (news, asks)

    async def test_those_that_need_an_actor_are_found(self, stores: Repositories, organization_id: Id) -> None:
        draft = await made(stores, organization_id)
        begun = await made(stores, organization_id, SCHEDULED)
        found = {campaign.id for campaign in await stores.campaigns.to_run(LATER)}
        assert (begun.id in found, draft.id in found) == (True, False)

    async def test_one_that_sleeps_needs_none_before_it_wakes_or_somebody_decides(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        begun = await made(stores, organization_id, SCHEDULED)
        wake_at = LATER + timedelta(hours=8)

        async def is_wanted(by: datetime) -> bool:
            return begun.id in {campaign.id for campaign in await stores.campaigns.to_run(by)}

        assert await stores.campaigns.rest(begun, LATER, wake_at)
        assert not await is_wanted(LATER)
        assert await is_wanted(wake_at)
        await stores.campaigns.stir(begun.id, LATER)
        assert await is_wanted(LATER)

    async def test_counters_are_stored(self, stores: Repositories, organization_id: Id) -> None:
        campaign = await made(stores, organization_id)
        counters = CampaignCounters(contacts={"pending": 3}, finals={"answered": 1}, attempts={"open": 1})
        await stores.campaigns.save_counters(campaign.id, counters, LATER)
        assert (await now(stores, campaign)).counters == counters
        assert await stores.campaigns.by_id(campaign.id) == await now(stores, campaign)


class TestChanging:
    async def test_rules_are_changed_until_the_campaign_is_over(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        campaign = await made(stores, organization_id, SCHEDULED, RUNNING)

        async def change(name: str, **options: Any) -> Campaign | None:
            fields = {"name": name, "rules.pacing.maxConcurrency": 7}
            return await stores.campaigns.change_rules(organization_id, campaign.id, fields, LATER, USER, **options)

        changed = await change("March")
        assert changed is not None
        assert (changed.name, changed.rules.pacing.max_concurrency, changed.rules.retries) == (
            "March", 7, campaign.rules.retries,
        )  # fmt: skip
        assert (changed.news, changed.changes) == (campaign.news + 1, campaign.changes)
        assert await change("April", since=(DRAFT,)) is None
        assert await change("April", news=campaign.news) is None
        await moved(stores, changed, STOPPED)
        assert await change("May") is None
        assert (await now(stores, campaign)).name == "March"

    async def test_nobody_changes_or_discards_another_tenants(self, stores: Repositories, organization_id: Id) -> None:
        campaign = await made(stores, organization_id)
        with pytest.raises(NotFound):
            await stores.campaigns.change_rules(new_id(), campaign.id, {"name": "x"}, LATER, USER)
        with pytest.raises(NotFound):
            await stores.campaigns.discard(new_id(), campaign.id, LATER, USER)
        assert await now(stores, campaign) == campaign

    async def test_lists_are_a_tenants_by_status_and_agent(self, stores: Repositories, organization_id: Id) -> None:
        draft, begun = await made(stores, organization_id), await made(stores, organization_id, SCHEDULED)

        async def found(organization: Id = organization_id, **where: Any) -> set[Id]:
            page = await stores.campaigns.search(organization, **where, page=1, limit=9)
            return {campaign.id for campaign in page.items}

        assert await found() == {draft.id, begun.id}
        assert await found(status=DRAFT) == {draft.id}
        assert await found(agent_id=begun.agent_id) == {begun.id}
        assert await found(new_id()) == set()


class TestDiscarding:
    async def test_a_draft_is_discarded_once(self, stores: Repositories, organization_id: Id) -> None:
        campaign = await made(stores, organization_id)
        assert await stores.campaigns.discard(organization_id, campaign.id, LATER, USER)
        for gone in (now(stores, campaign), stores.campaigns.discard(organization_id, campaign.id, NOW, USER)):
            with pytest.raises(NotFound):
                await gone
        assert await stores.campaigns.by_id(campaign.id) is None

    async def test_what_has_begun_is_kept_until_all_is_done_and_told(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        campaign = await made(stores, organization_id, SCHEDULED)

        async def goes() -> bool:
            return await stores.campaigns.discard(organization_id, campaign.id, LATER, USER)

        assert not await goes()
        campaign = await moved(stores, campaign, STOPPED)
        assert not await goes()
        await stores.campaigns.all_told(campaign)
        assert not await goes()
        assert await stores.campaigns.rest(campaign, LATER)
        assert await goes()

    async def test_one_that_went_before_the_connection_broke_is_gone(
        self, stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = await made(stores, organization_id)
        lose_one(stores.campaigns, monkeypatch)
        assert await stores.campaigns.discard(organization_id, campaign.id, LATER, USER)


class TestTelling:
    async def test_a_change_is_untold_until_somebody_has_told_it(
        self, stores: Repositories, organization_id: Id
    ) -> None:
        seen = await made(stores, organization_id, SCHEDULED)
        assert seen.id in {campaign.id for campaign in await stores.campaigns.untold(1000)}
        later = await moved(stores, seen, RUNNING)
        await stores.campaigns.all_told(seen)
        assert (await now(stores, seen)).untold
        await stores.campaigns.all_told(later)
        assert not (await now(stores, seen)).untold
        assert seen.id not in {campaign.id for campaign in await stores.campaigns.untold(1000)}
