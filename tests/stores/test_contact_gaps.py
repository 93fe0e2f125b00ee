"""What contacts lack, counted by the real database."""

import pytest

from models.document import Id, new_id
from models.settings import Settings
from stores.contact_gaps import EXPLAINED, SHOWN, Completeness, ContactGaps, Gap
from stores.contacts import Finished
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.campaigns import a_campaign, a_contact
from tests.documents import NOW

pytestmark = pytest.mark.integration


async def found(settings: Settings, campaign_id: Id, *variables: str) -> Completeness:
    """What contacts of the campaign lack."""
    async with connect(settings) as client:
        return await ContactGaps(database(client, settings)).of_campaign(campaign_id, variables)


async def test_empty_and_absent_values_are_gaps(settings: Settings, stores: Repositories, organization_id: Id) -> None:
    campaign = a_campaign(organization_id)
    known = [{"name": "Zoë", "due": "1"}, {"name": "", "due": "2"}, {"due": "3"}, {"name": "Al"}]
    contacts = [a_contact(campaign, at, variables) for at, variables in enumerate(known, start=2)]
    other = a_contact(a_campaign(organization_id), 9)
    await stores.contacts.insert_batch([*contacts, other])
    assert await found(settings, campaign.id, "name", "due") == Completeness(
        4, (Gap("name", 2, (3, 4)), Gap("due", 1, (5,)))
    )
    assert await found(settings, campaign.id, "due", "missing") == Completeness(
        4, (Gap("due", 1, (5,)), Gap("missing", 4, (2, 3, 4)[:SHOWN]))
    )
    assert await found(settings, campaign.id) == Completeness(4, ())


async def test_nobody_asks_what_those_lack_who_are_done(
    settings: Settings, stores: Repositories, organization_id: Id
) -> None:
    campaign = a_campaign(organization_id)
    contacts = [a_contact(campaign, at) for at in (1, 2)]
    await stores.contacts.insert_batch(contacts)
    await stores.contacts.finish(contacts[0].id, Finished("answered").final, NOW)
    assert await found(settings, campaign.id, "name") == Completeness(1, (Gap("name", 1, (2,)),))
    assert await found(settings, new_id(), "name") == Completeness(0, ())


async def test_many_gaps_are_all_counted_and_some_explained(
    settings: Settings, stores: Repositories, organization_id: Id
) -> None:
    campaign = a_campaign(organization_id)
    await stores.contacts.insert_batch([a_contact(campaign, 1)])
    complete = await found(settings, campaign.id, *(f"v{at}" for at in range(200)))
    assert len(complete.gaps) == 200
    assert [bool(gap.lines) for gap in complete.gaps] == [True] * EXPLAINED + [False] * (200 - EXPLAINED)
