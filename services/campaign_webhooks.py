"""Tells webhooks of campaigns: what a campaign owes is read off it, and stored as deliveries by the sweep.

As with calls, a change marks its campaign in the write that makes it, so a crash loses nothing, and telling twice
stores nothing twice.
"""

from datetime import datetime

from models.campaign import Campaign
from services.campaign_events import imported, owed_events
from services.contacts import ImportReport
from services.webhook_events import WebhookEvents
from stores.campaigns import Campaigns

AT_ONCE = 100


class CampaignWebhooks:
    """Every method may be repeated, and run in several processes at once."""

    def __init__(self, campaigns: Campaigns, webhooks: WebhookEvents) -> None:
        self._campaigns = campaigns
        self._webhooks = webhooks

    async def sweep(self, now: datetime) -> int:
        """Store what marked campaigns owe; how many there were. Raises what PyMongo raises."""
        untold = await self._campaigns.untold(AT_ONCE)
        for campaign in untold:
            await self._webhooks.publish(campaign.organization_id, owed_events(campaign), now)
            await self._campaigns.all_told(campaign)
        return len(untold)

    async def imported(self, campaign: Campaign, report: ImportReport, now: datetime) -> None:
        """Store that an import is over. Raises what PyMongo raises."""
        await self._webhooks.publish(campaign.organization_id, [imported(campaign, report, now)], now)
