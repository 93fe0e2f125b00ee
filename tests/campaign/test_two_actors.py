"""What a campaign's actor makes of what others have left behind, or do at the same time."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from models.campaign import CampaignStatus, Pacing
from models.contact import Claim
from models.document import Id, new_id
from stores.contacts import Again, Finished
from tests.campaign.memory import MemoryContacts
from tests.campaign.stage import RULES, SLOW, Stage, at_rest, finals
from tests.virtual_time import virtual


@virtual
async def test_an_attempt_that_nobody_dialled_is_lost_after_a_minute_and_its_contact_is_called() -> None:
    stage = Stage(count=1)
    [contact] = stage.data.contacts.values()
    store = MemoryContacts(stage.data, stage.begin())
    stage.lives[0].cancel()
    await store.claim_due(stage.data.campaign.id, "before", 1, stage.now())
    assert await store.begin_attempt(contact.id, 1, new_id(), stage.now(), runner="before")
    stage.data.move(CampaignStatus.RUNNING, stage.now())
    began = stage.now()
    stage.begin()
    await asyncio.sleep(55)
    assert stage.phones.dials == {}
    await asyncio.wait_for(stage.lives[1], 600)
    assert [each.outcome for each in stage.data.contacts[contact.id].attempts] == ["not-placed", "answered"]
    assert stage.phones.at[0] - began < timedelta(seconds=75)


@virtual
async def test_a_new_actor_knows_what_was_dialled_today() -> None:
    stage = Stage(count=9, rules=RULES.model_copy(update={"pacing": Pacing(calls_per_minute=600, daily_cap=4)}))
    for _ in range(3):
        process = stage.begin()
        await asyncio.sleep(2)
        process.kill()
    stage.begin()
    await asyncio.sleep(3600)
    assert stage.phones.dials.total() == 4
    wake_at = stage.data.campaign.wake_at
    assert wake_at is not None, "the actor leaves for the night"
    await asyncio.sleep((wake_at - stage.now()).total_seconds())
    stage.begin()
    await asyncio.sleep(3600)
    assert stage.phones.dials.total() == 8
    await stage.close()


@virtual
async def test_of_two_actors_the_first_gives_way_and_gives_back_what_it_has() -> None:
    stage = Stage(count=20, luck=SLOW)
    stage.begin()
    await asyncio.sleep(20)
    stage.begin()
    await asyncio.wait_for(stage.lives[0], 10)
    await asyncio.wait_for(stage.lives[1], 3600)
    stage.check()


@virtual
async def test_whom_another_actor_claimed_and_left_is_called_all_the_same() -> None:
    stage = Stage(count=4, luck=SLOW)
    stage.begin()
    await asyncio.sleep(5)
    left = next(each for each in stage.data.contacts.values() if each.state == "pending")
    claim = Claim(runner="gone", token=new_id(), at=stage.now())
    stage.data.contacts[left.id] = left.model_copy(update={"state": "dialing", "claim": claim})
    await at_rest(stage)
    stage.check()


@virtual
async def test_a_campaign_that_was_deleted_needs_nobody() -> None:
    stage = Stage(count=2, luck=SLOW)
    stage.begin()
    await asyncio.sleep(3)
    stage.data.change(runner="somebody else")
    await asyncio.wait_for(stage.lives[0], 10)


class Broken(MemoryContacts):
    """A store with a bug that shows three times."""

    left = 3

    async def record_outcome(
        self, contact_id: Id, number: int, outcome: str, then: Again | Finished, now: datetime
    ) -> bool:
        """See the role."""
        if self.left:
            self.left -= 1
            raise ValueError("a bug")
        return await super().record_outcome(contact_id, number, outcome, then, now)


@virtual
async def test_after_a_bug_the_campaign_begins_anew_from_what_is_written() -> None:
    stage = Stage(count=6)
    process = stage.begin()
    stage.runners[0]._around = replace(stage.runners[0]._around, contacts=Broken(stage.data, process))
    await at_rest(stage)
    stage.check()


@virtual
async def test_a_status_that_somebody_else_wrote_holds() -> None:
    stage = Stage(count=6, luck=SLOW)
    stage.begin()
    await asyncio.sleep(5)
    stage.data.move(CampaignStatus.PAUSED, stage.now(), reason="written by an older actor")
    await at_rest(stage)
    assert finals(stage) == {"answered": 3, None: 3}
