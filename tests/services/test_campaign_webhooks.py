"""What webhooks are told of campaigns, over the real database."""

import json
from datetime import timedelta
from typing import Any

import pytest

from models.campaign import Campaign, CampaignStatus
from models.document import Id, new_id
from models.webhook import EVENT_TYPES, Delivery, WebhookEndpoint
from services.contacts import ImportReport
from tests.campaigns import a_campaign
from tests.documents import DATES, NOW
from tests.services.conftest import House

pytestmark = pytest.mark.integration

_, SCHEDULED, RUNNING, PAUSED, COMPLETED, _ = CampaignStatus
LATER = NOW + timedelta(minutes=1)


async def listened(house: House) -> Id:
    """An endpoint of the tenant's that wants to know everything."""
    endpoint = WebhookEndpoint(
        **DATES,
        organization_id=house.principal.organization_id,
        user_id=house.principal.user_id,
        name="CRM",
        url="https://crm.example.com/hook",
        events=EVENT_TYPES,
        encrypted_secret="x",
        since=NOW,
    )
    return (await house.stores.webhooks.insert(endpoint)).id


async def owed(house: House, endpoint_id: Id) -> list[Delivery]:
    """What the endpoint is to be told, the first first."""
    organization_id = house.principal.organization_id
    page = await house.stores.webhook_deliveries.page(organization_id, {"endpointId": endpoint_id}, page=1, limit=99)
    return sorted(page.items, key=lambda each: (each.subject_id, each.sequence))


async def brought(house: House, *statuses: CampaignStatus) -> Campaign:
    """A campaign of the tenant's that has come through these."""
    campaign = await house.stores.campaigns.insert(a_campaign(house.principal.organization_id))
    for status in statuses:
        moved = await house.stores.campaigns.become(campaign, status, LATER, since=(campaign.status,))
        assert moved is not None
        campaign = moved
    return campaign


def facts(delivery: Delivery) -> Any:
    """What the receiver reads."""
    return json.loads(delivery.body)


async def test_the_sweep_stores_each_change_once_in_order(house: House) -> None:
    endpoint_id = await listened(house)
    campaign = await brought(house, SCHEDULED, RUNNING, PAUSED)
    for _ in range(2):
        await house.services.campaign_webhooks.sweep(LATER)
    started, paused = await owed(house, endpoint_id)
    assert [(each.event, each.sequence) for each in (started, paused)] == [
        ("campaign.started", 2),
        ("campaign.paused", 3),
    ]
    assert facts(paused)["data"]["status"] == "paused"
    assert (facts(paused)["event"], facts(paused)["timestamp"]) == ("campaign.paused", "2026-01-15T10:31:00.000Z")
    assert not (await house.stores.campaigns.get(house.principal.organization_id, campaign.id)).untold


async def test_whoever_died_before_saying_that_all_is_told_leaves_nothing_twice(house: House) -> None:
    endpoint_id = await listened(house)
    campaign = await brought(house, SCHEDULED, RUNNING)
    await house.services.campaign_webhooks.sweep(LATER)
    again = await house.stores.campaigns.become(campaign, COMPLETED, LATER, since=(RUNNING,))
    assert again is not None
    await house.services.campaign_webhooks.sweep(LATER)
    assert [each.event for each in await owed(house, endpoint_id)] == ["campaign.started", "campaign.completed"]


async def test_others_hear_nothing(house: House) -> None:
    await brought(house, SCHEDULED, RUNNING)
    house.principal = await house.tenant()
    endpoint_id = await listened(house)
    await house.services.campaign_webhooks.sweep(LATER)
    assert await owed(house, endpoint_id) == []


async def test_an_import_is_told(house: House) -> None:
    endpoint_id = await listened(house)
    report = ImportReport(new_id(), 5, 0, 1, 2, (), {})
    for _ in range(2):
        await house.services.campaign_webhooks.imported(await brought(house), report, LATER)
    [told] = await owed(house, endpoint_id)
    assert (told.event, told.subject_id) == ("lead.imported", report.import_id)
    assert facts(told)["data"]["imported"] == 5
