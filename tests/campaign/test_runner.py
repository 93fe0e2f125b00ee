"""A campaign's actor between stores, carrier and people that are in memory, on a virtual clock."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from actors.campaign.telling import SHARE
from models.campaign import Breaker, CampaignStatus, Outcome, Pacing
from models.document import Id
from models.errors import FieldError, InsufficientCredits, Invalid
from stores.contacts import ContactCounts
from tests.campaign.memory import MemoryContacts
from tests.campaign.phones import Luck
from tests.campaign.process import Weather
from tests.campaign.stage import RULES, SLOW, Stage, at_rest, finals, some_contacts
from tests.virtual_time import virtual


@virtual
async def test_everybody_is_called_once_and_the_actor_leaves() -> None:
    stage = Stage(count=7)
    stage.begin()
    await at_rest(stage)
    stage.check()
    assert [change.status for change in stage.data.campaign.changes] == [
        CampaignStatus.RUNNING,
        CampaignStatus.COMPLETED,
    ]
    assert finals(stage) == {"answered": 7}
    last = stage.data.told[-1]
    assert (last["status"], last["contacts"]["done"], last["attempts"]) == ("completed", 7, {"answered": 7})
    assert {each["campaignId"] for each in stage.data.told} == {stage.data.campaign.id}


@virtual
async def test_a_busy_phone_is_tried_again() -> None:
    stage = Stage(count=1, luck=Luck(outcomes={Outcome.BUSY: 1.0}))
    stage.begin()
    await at_rest(stage)
    [contact] = stage.data.contacts.values()
    assert [each.outcome for each in contact.attempts] == ["busy", "busy"]
    first, second = contact.attempts
    assert timedelta(seconds=30) <= second.at - first.at <= timedelta(seconds=60)


@virtual
async def test_a_pause_is_heard_at_once_and_the_actor_leaves_until_it_ends() -> None:
    stage = Stage(count=8, luck=SLOW)
    stage.begin()
    await asyncio.sleep(5)
    stage.data.decide(CampaignStatus.PAUSED, stage.now())
    stage.runners[0].look()
    await at_rest(stage)
    assert finals(stage) == {"answered": 3, None: 5}
    assert {each.state for each in stage.data.contacts.values()} == {"done", "pending"}
    stage.data.decide(CampaignStatus.RUNNING, stage.now())
    await stage.look_after()
    await stage.close()
    stage.check()


@virtual
async def test_a_stop_ends_those_who_wait_and_lets_calls_go_on() -> None:
    stage = Stage(count=8, luck=SLOW)
    stage.begin()
    await asyncio.sleep(5)
    stage.data.decide(CampaignStatus.STOPPED, stage.now())
    await at_rest(stage)
    assert finals(stage) == {"answered": 3, "stopped": 5}
    assert stage.status is CampaignStatus.STOPPED


@virtual
async def test_contacts_who_are_added_are_called() -> None:
    stage = Stage(count=2, luck=SLOW)
    stage.begin()
    await asyncio.sleep(10)
    more = some_contacts(stage.data.campaign.id, 5)[2:]
    stage.data.contacts |= {each.id: each for each in more}
    stage.data.change(news=stage.data.campaign.news + 1)
    await at_rest(stage)
    assert finals(stage) == {"answered": 5}


@virtual
async def test_new_rules_hold_from_then_on() -> None:
    stage = Stage(count=6, rules=RULES.model_copy(update={"pacing": Pacing(max_concurrency=1)}), luck=SLOW)
    stage.begin()
    await asyncio.sleep(5)
    assert stage.phones.most == 1
    rules = RULES.model_copy(update={"pacing": Pacing(max_concurrency=4)})
    stage.data.change(rules=rules, news=stage.data.campaign.news + 1)
    await at_rest(stage)
    assert stage.phones.most == 4


@virtual
async def test_numbers_that_must_not_be_called_end_with_the_reason() -> None:
    stage = Stage(count=3)
    first, *_ = stage.data.contacts.values()
    stage.data.do_not_call.add(first.number)
    stage.begin()
    await at_rest(stage)
    assert finals(stage) == {"answered": 2, "do-not-call": 1}
    assert stage.data.contacts[first.id].refusal == "do-not-call"


@pytest.mark.parametrize(
    ("trouble", "reason"), [(InsufficientCredits("empty"), "no-credit"), (Invalid("inactive"), "not-ready")]
)
def test_what_no_other_contact_would_fare_better_with_pauses_the_campaign(trouble: Exception, reason: str) -> None:
    @virtual
    async def play() -> None:
        stage = Stage(count=5)
        stage.begin()
        stage.boards[0].trouble = trouble  # type: ignore[assignment]
        await at_rest(stage)
        assert (stage.status, stage.data.campaign.status_reason) == (CampaignStatus.PAUSED, reason)
        assert stage.phones.dials == {}
        outcomes = [each.outcome for contact in stage.data.contacts.values() for each in contact.attempts]
        assert set(outcomes) == {"not-placed"}
        assert {each.state for each in stage.data.contacts.values()} == {"pending"}

    play()


@virtual
async def test_values_that_make_the_words_too_long_end_their_own_contact_only() -> None:
    stage = Stage(count=3)
    stage.begin()
    stage.boards[0].trouble = Invalid(fields=[FieldError("variables", "With these values, prompt: too long")])
    await at_rest(stage)
    assert finals(stage) == {"unsuitable": 3}
    assert stage.status is CampaignStatus.COMPLETED


@virtual
async def test_a_campaign_whose_user_may_not_call_any_more_pauses() -> None:
    stage = Stage(count=2)
    assert stage.data.user is not None
    stage.data.user = stage.data.user.model_copy(update={"is_active": False})
    stage.begin()
    await at_rest(stage)
    assert (stage.status, stage.data.campaign.status_reason) == (CampaignStatus.PAUSED, "not-ready")


@virtual
async def test_a_carrier_that_fails_pauses_the_campaign() -> None:
    rules = RULES.model_copy(update={"breaker": Breaker(min_calls=3, failure_share=1.0)})
    stage = Stage(count=9, rules=rules, luck=Luck(refused=1.0))
    stage.begin()
    await at_rest(stage)
    assert (stage.status, stage.data.campaign.status_reason) == (CampaignStatus.PAUSED, "carrier-failures")


@virtual
async def test_a_carrier_that_does_not_answer_holds_up_nobody_else() -> None:
    rules = RULES.model_copy(update={"pacing": Pacing(max_concurrency=4, calls_per_minute=600)})
    stage = Stage(seed=3, count=12, rules=rules, luck=Luck(slow=0.2))
    stage.begin()
    await asyncio.sleep(60)
    assert sum(each.state == "done" for each in stage.data.contacts.values()) >= 8
    await at_rest(stage)
    stage.check()


@virtual
async def test_a_database_that_is_away_for_a_while_costs_nothing_but_time() -> None:
    stage = Stage(count=6, luck=Luck(talk_s=(5.0, 5.0)))
    stage.begin()
    await asyncio.sleep(2)
    weather, stage.weather = stage.weather, Weather(fails=1.0)
    stage.processes[0].weather = stage.weather
    await asyncio.sleep(30)
    assert stage.phones.dials.total() <= 3
    stage.processes[0].weather = weather
    await at_rest(stage)
    stage.check()


@virtual
async def test_a_draft_needs_nobody() -> None:
    stage = Stage()
    stage.data.change(status=CampaignStatus.DRAFT)
    stage.begin()
    await at_rest(stage)
    assert stage.phones.dials == {}


class SlowlyCounted(MemoryContacts):
    """Of a campaign so large that counting takes a second."""

    counted = 0

    async def counts(self, campaign_id: Id) -> ContactCounts:
        """See the role."""
        SlowlyCounted.counted += 1
        await asyncio.sleep(1.0)
        return await super().counts(campaign_id)


@virtual
async def test_counting_takes_one_second_in_twenty_at_most() -> None:
    SlowlyCounted.counted = 0
    stage = Stage(count=60, luck=Luck(talk_s=(9.0, 9.0)))
    process = stage.begin()
    stage.lives[0].cancel()
    runner = stage.runners[0]
    runner._around = replace(runner._around, contacts=SlowlyCounted(stage.data, process))
    began = stage.now()
    await asyncio.wait_for(runner.run(), 3600)
    took_s = (stage.now() - began).total_seconds()
    assert 180 < took_s < 300
    assert SlowlyCounted.counted <= took_s / SHARE + 2
    assert stage.data.campaign.counters.contacts == {"done": 60}
