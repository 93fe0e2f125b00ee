"""Which life of a campaign's actor has the campaign, against the real database."""

from datetime import timedelta

import pytest

from models.campaign import CampaignCounters
from models.document import Id, new_id
from stores.repositories import Repositories
from tests.campaigns import a_campaign
from tests.documents import NOW

pytestmark = pytest.mark.integration

LATER = NOW + timedelta(minutes=1)
COUNTERS = CampaignCounters(contacts={"done": 3})


async def test_of_two_lives_the_later_one_counts_and_rests(stores: Repositories, organization_id: Id) -> None:
    campaign = await stores.campaigns.insert(a_campaign(organization_id))
    before = await stores.campaigns.take(campaign.id, "first", LATER)
    after = await stores.campaigns.take(campaign.id, "second", LATER)
    assert before is not None
    assert after is not None
    assert (before.runner, after.runner, after.news) == ("first", "second", campaign.news)
    assert not await stores.campaigns.save_counters(campaign.id, COUNTERS, LATER, runner="first")
    assert not await stores.campaigns.rest(before, LATER)
    assert await stores.campaigns.save_counters(campaign.id, COUNTERS, LATER, runner="second")
    assert await stores.campaigns.rest(after, LATER)
    stored = await stores.campaigns.by_id(campaign.id)
    assert stored is not None
    assert stored.counters == COUNTERS


async def test_nobody_takes_what_is_not_there(stores: Repositories) -> None:
    assert await stores.campaigns.take(new_id(), "first", LATER) is None
