"""What people may do to campaigns when, over the real database."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from models.campaign import Campaign, CampaignRules, CampaignStatus
from models.document import Id, new_id
from models.errors import Conflict, Invalid, NotFound
from services import campaigns as campaigns_module
from services.campaigns import PAUSE, RESUME, START, STOP, Decision, LeftToTheRounds, Plan
from stores.contacts import Finished
from tests.campaigns import a_contact
from tests.documents import NOW, an_agent
from tests.services.conftest import House

pytestmark = pytest.mark.integration

DRAFT, SCHEDULED, RUNNING, PAUSED, COMPLETED, STOPPED = CampaignStatus
LATER = NOW + timedelta(minutes=1)


async def plan(house: House, **fields: Any) -> Plan:
    """One that can be made."""
    number, _ = await house.line(house.principal)
    agent = await house.stores.agents.insert(an_agent(house.principal.organization_id))
    return Plan(**({"name": "February", "agent_id": agent.id, "from_phone": number} | fields))


async def drafted(house: House, contacts: int = 1, **fields: Any) -> Campaign:
    """A draft with contacts."""
    made = await house.services.campaigns.create(
        house.principal, await plan(house, **fields), campaign_id=new_id(), now=NOW
    )
    await house.stores.contacts.insert_batch([a_contact(made, at) for at in range(contacts)])
    return made


async def decided(house: House, campaign: Campaign, *decisions: Decision) -> Campaign:
    """The campaign after decisions of its user; its actor is there at once."""
    for decision in decisions:
        campaign = await house.services.campaigns.decide(house.principal, campaign.id, decision, LATER)
        if decision is START:
            campaign = await by_its_actor(house, campaign, RUNNING)
    return campaign


async def by_its_actor(house: House, campaign: Campaign, status: CampaignStatus) -> Campaign:
    """The campaign after a decision of its own."""
    moved = await house.stores.campaigns.become(campaign, status, LATER, since=(campaign.status,))
    assert moved is not None
    return moved


async def audited(house: House) -> list[str]:
    """What was noted of campaigns, the first first."""
    found = await house.stores.audit.search(house.principal.organization_id, subject="campaign", page=1, limit=99)
    return [record.action for record in reversed(found.items)]


class TestDrafting:
    async def test_a_draft_is_made_once_under_its_id(self, house: House) -> None:
        wanted, campaign_id = await plan(house, description="Payments"), new_id()
        made = [
            await house.services.campaigns.create(house.principal, wanted, campaign_id=campaign_id, now=NOW)
            for _ in range(2)
        ]
        assert made[0] == made[1] == await house.services.campaigns.get(house.principal, campaign_id)
        assert (made[0].status, made[0].description, made[0].user_id) == (DRAFT, "Payments", house.principal.user_id)
        assert await audited(house) == ["campaign.create"]
        assert house.campaign_hands.seen == []

    async def test_who_calls_has_to_be_the_tenants(self, house: House) -> None:
        strangers = await house.stores.agents.insert(an_agent(new_id()))
        for fields in ({"agent_id": strangers.id}, {"from_phone": "+14155550123"}):
            with pytest.raises(NotFound):
                await drafted(house, **fields)
        with pytest.raises(Invalid):
            await drafted(house, from_phone="nobody")

    async def test_a_change_keeps_what_it_does_not_name(self, house: House) -> None:
        campaign = await drafted(house, description="Payments", rules=CampaignRules(requires_consent=False))
        patch = {"timeZone": "Asia/Kolkata", "pacing": {"maxConcurrency": 9}}
        changed = await house.services.campaigns.update(
            house.principal, campaign.id, {"name": "March", "rules": patch}, LATER
        )
        assert (changed.name, changed.description) == ("March", "Payments")
        assert (changed.rules.time_zone, changed.rules.requires_consent) == ("Asia/Kolkata", False)
        assert (changed.rules.pacing.max_concurrency, changed.rules.pacing.calls_per_minute) == (9, 30)
        assert changed == await house.services.campaigns.get(house.principal, campaign.id)

    async def test_of_two_changes_at_once_both_are_made_and_make_sense_together(self, house: House) -> None:
        campaign = await drafted(house)
        service, first = house.services.campaigns, {"startsOn": "2026-03-02", "pacing": {"maxConcurrency": 9}}
        second = {"endsOn": "2026-03-01", "pacing": {"batchSize": 7}}
        answers = await asyncio.gather(
            service.update(house.principal, campaign.id, {"rules": first}, LATER),
            service.update(house.principal, campaign.id, {"rules": {"pacing": {"callsPerMinute": 8}}}, LATER),
            return_exceptions=True,
        )
        assert [type(each) for each in answers] == [Campaign] * 2
        pacing = (await service.get(house.principal, campaign.id)).rules.pacing
        assert (pacing.max_concurrency, pacing.calls_per_minute) == (9, 8)
        answers = await asyncio.gather(
            service.update(house.principal, campaign.id, {"rules": {"startsOn": None}}, LATER),
            service.update(house.principal, campaign.id, {"rules": second}, LATER),
            return_exceptions=True,
        )
        rules = (await service.get(house.principal, campaign.id)).rules
        assert rules.starts_on is None
        assert (rules.ends_on is None) is any(isinstance(each, Invalid) for each in answers)

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"pacing": {"maxConcurrency": 0}}, "rules.pacing.maxConcurrency"),
            ({"pacing": None}, "rules.pacing"),
            ({"windows": [{"days": ["monday"], "opens": "9", "closes": "18:00"}]}, "rules.windows.0.opens"),
            ({"startsOn": "2026-03-02", "endsOn": "2026-03-01"}, "rules"),
            ({"timeZone": "Mars"}, "rules.timeZone"),
        ],
    )
    async def test_rules_that_make_no_sense_are_named(self, house: House, patch: dict[str, Any], field: str) -> None:
        campaign = await drafted(house)
        with pytest.raises(Invalid) as caught:
            await house.services.campaigns.update(house.principal, campaign.id, {"rules": patch}, LATER)
        assert caught.value.fields[0].field == field
        assert "Value error" not in caught.value.fields[0].message
        assert await house.services.campaigns.get(house.principal, campaign.id) == campaign

    async def test_who_calls_is_settled_by_the_start(self, house: House) -> None:
        campaign, other = await drafted(house), await plan(house)
        who = {"agent_id": other.agent_id, "from_phone": other.from_phone}
        changed = await house.services.campaigns.update(house.principal, campaign.id, who, LATER)
        assert (changed.agent_id, changed.from_phone) == (other.agent_id, other.from_phone)
        await decided(house, campaign, START)
        with pytest.raises(Conflict, match="running cannot be given to another agent or phone"):
            await house.services.campaigns.update(house.principal, campaign.id, who, LATER)

    async def test_the_actor_hears_of_new_rules_until_the_campaign_is_over(self, house: House) -> None:
        running = await decided(house, await drafted(house), START)
        house.campaign_hands.seen.clear()
        changed = await house.services.campaigns.update(house.principal, running.id, {"name": "March"}, LATER)
        assert (changed.news, house.campaign_hands.seen) == (running.news + 1, [running.id])
        await decided(house, changed, STOP)
        with pytest.raises(Conflict, match="stopped cannot be changed"):
            await house.services.campaigns.update(house.principal, running.id, {"name": "April"}, LATER)


class TestDeciding:
    async def test_each_decision_is_written_told_and_noted(self, house: House) -> None:
        campaign = await drafted(house)
        started = await house.services.campaigns.decide(house.principal, campaign.id, START, LATER, reason="Go")
        assert (started.status, started.status_reason, started.needs_runner) == (SCHEDULED, "Go", True)
        await decided(house, await by_its_actor(house, started, RUNNING), PAUSE, RESUME, STOP)
        assert house.campaign_hands.seen == [campaign.id] * 4
        assert await audited(house) == [f"campaign.{verb}" for verb in ("create", "start", "pause", "resume", "stop")]
        told = await house.heard(4)
        assert [event for event, _ in told] == ["campaign:progress"] * 4
        assert [payload["status"] for _, payload in told] == ["scheduled", "paused", "running", "stopped"]
        changes = (await house.services.campaigns.get(house.principal, campaign.id)).changes
        assert [change.by for change in changes] == [
            house.principal.user_id, None, *[house.principal.user_id] * 3,
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("before", "refused"),
        [
            ((), {PAUSE: "draft", RESUME: "draft", STOP: "draft"}),
            ((START,), {START: "running", RESUME: "running"}),
            ((START, PAUSE), {START: "paused", PAUSE: "paused"}),
            ((START, STOP), {each: "stopped" for each in (START, PAUSE, RESUME, STOP)}),
        ],
        ids=["draft", "running", "paused", "stopped"],
    )
    async def test_in_another_status_the_answer_says_in_which(
        self, house: House, before: Sequence[Decision], refused: dict[Decision, str]
    ) -> None:
        campaign = await decided(house, await drafted(house), *before)
        for decision, status in refused.items():
            with pytest.raises(Conflict, match=f"^A campaign that is {status} cannot be {decision.done}$"):
                await house.services.campaigns.decide(house.principal, campaign.id, decision, LATER)
        assert await house.services.campaigns.get(house.principal, campaign.id) == campaign

    async def test_of_twenty_who_start_it_one_has(self, house: House) -> None:
        campaign = await drafted(house)
        starts = [
            house.services.campaigns.decide(house.principal, campaign.id, START, LATER + timedelta(seconds=at))
            for at in range(20)
        ]
        answers = await asyncio.gather(*starts, return_exceptions=True)
        assert sum(isinstance(each, Campaign) for each in answers) == 1
        assert {type(each) for each in answers} == {Campaign, Conflict}

    async def test_a_decision_that_meets_its_actors_is_made_after_it(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = await drafted(house)
        scheduled = await house.services.campaigns.decide(house.principal, campaign.id, START, LATER)
        real, store = house.stores.campaigns.become, house.services.campaigns._campaigns

        async def late(seen: Campaign, *args: Any, **options: Any) -> Campaign | None:
            if seen.status is SCHEDULED:
                await by_its_actor(house, scheduled, RUNNING)
            return await real(seen, *args, **options)

        monkeypatch.setattr(store, "become", late)
        stopped = await house.services.campaigns.decide(house.principal, campaign.id, STOP, LATER)
        assert [change.status for change in stopped.changes] == [SCHEDULED, RUNNING, STOPPED]

    async def test_what_could_call_nobody_is_neither_started_nor_resumed(self, house: House) -> None:
        empty = await drafted(house, contacts=0)
        with pytest.raises(Invalid):
            await decided(house, empty, START)
        assert (await house.services.campaigns.get(house.principal, empty.id)).status is DRAFT
        paused = await decided(house, await drafted(house), START, PAUSE)
        organization_id = house.principal.organization_id
        await house.stores.agents.change(organization_id, paused.agent_id, {"isActive": False}, NOW)
        with pytest.raises(Invalid):
            await decided(house, paused, RESUME)
        assert (await decided(house, paused, STOP)).status is STOPPED

    async def test_without_actors_at_hand_it_is_left_to_the_rounds(self) -> None:
        assert await LeftToTheRounds().see_to(new_id()) is None  # type: ignore[func-returns-value]


class TestDeleting:
    async def test_a_draft_goes(self, house: House) -> None:
        campaign = await drafted(house)
        await house.services.campaigns.delete(house.principal, campaign.id, LATER)
        with pytest.raises(NotFound):
            await house.services.campaigns.get(house.principal, campaign.id)
        assert await audited(house) == ["campaign.create", "campaign.delete"]

    async def test_what_has_begun_goes_once_it_is_over(self, house: House) -> None:
        running = await decided(house, await drafted(house), START)
        with pytest.raises(Conflict, match="running cannot be deleted"):
            await house.services.campaigns.delete(house.principal, running.id, LATER)
        stopped = await decided(house, running, STOP)
        with pytest.raises(Conflict, match="last calls go on"):
            await house.services.campaigns.delete(house.principal, running.id, LATER)
        await house.services.campaign_webhooks.sweep(LATER)
        assert await house.stores.campaigns.rest(stopped, LATER)
        await house.services.campaigns.delete(house.principal, running.id, LATER)


class TestCounting:
    async def test_without_an_actor_contacts_are_counted(self, house: House) -> None:
        campaign = await drafted(house, contacts=3)
        contact = (await house.services.contacts.page(house.principal, campaign.id, state=None, page=1, limit=1)).items
        await house.stores.contacts.finish(contact[0].id, Finished("no-consent").final, NOW)
        counters = (await house.services.campaigns.counted(house.principal, campaign.id)).counters
        assert (counters.contacts, counters.finals) == ({"pending": 2, "done": 1}, {"no-consent": 1})
        assert (await house.services.campaigns.get(house.principal, campaign.id)).counters.contacts == {}

    async def test_with_one_its_word_counts_and_so_it_does_of_very_many(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running = await decided(house, await drafted(house, contacts=3), START)
        assert (await house.services.campaigns.counted(house.principal, running.id)).counters.contacts == {}
        draft = await drafted(house, contacts=3)
        await house.services.campaigns.has_more(draft, LATER)
        monkeypatch.setattr(campaigns_module, "COUNTED", 2)
        await house.stores.contacts.insert_batch([a_contact(draft, 9)])
        counted = await house.services.campaigns.counted(house.principal, draft.id)
        assert counted.counters.contacts == {"pending": 3}


async def test_nobody_touches_another_tenants(house: House) -> None:
    campaign, stranger = await drafted(house), await house.tenant()
    service = house.services.campaigns
    for attempt in (
        service.get(stranger, campaign.id),
        service.counted(stranger, campaign.id),
        service.update(stranger, campaign.id, {"name": "Mine"}, LATER),
        service.delete(stranger, campaign.id, LATER),
        service.decide(stranger, campaign.id, START, LATER),
        service.create(stranger, await plan(house), campaign_id=Id(campaign.id), now=LATER),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await service.page(stranger, status=None, agent_id=None, page=1, limit=9)).items == []
    assert await service.get(house.principal, campaign.id) == campaign
