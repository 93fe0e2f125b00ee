"""Tells how far a campaign is: counted anew, saved, and published to whoever watches."""

import asyncio
import logging
from collections.abc import Callable

from actors.campaign.around import Around
from models.campaign import Campaign, CampaignCounters
from services.campaign_events import PROGRESS, progress
from stores.contacts import ContactCounts
from stores.outage import AWAY

logger = logging.getLogger(__name__)

APART_S = 1.0
SHARE = 20
"""Counting takes one second in so many at most: all contacts of the campaign are read for it."""


class Telling:
    """For one life of a campaign's actor. `campaign` gives it as it was last read."""

    def __init__(self, around: Around, campaign: Callable[[], Campaign]) -> None:
        self._around = around
        self._campaign = campaign

    async def run(self, changed: asyncio.Event) -> None:
        """Tell whenever something has changed, and not too often; until it is broken off."""
        clock = asyncio.get_running_loop().time
        while True:
            await changed.wait()
            changed.clear()
            began = clock()
            try:
                await self.tell()
            except AWAY as error:
                changed.set()
                logger.warning("a campaign's progress waits", extra={"problem": type(error).__name__})
            await asyncio.sleep(max(APART_S, (SHARE - 1) * (clock() - began)))

    async def tell(self) -> None:
        """Now; raises what the store raises."""
        counters = counted(await self._around.contacts.counts(self._campaign().id))
        now = self._around.now()
        campaign = self._campaign().model_copy(update={"counters": counters})
        if await self._around.campaigns.save_counters(campaign.id, counters, now, runner=campaign.runner):
            await self._around.audience.publish_to_campaign(campaign.id, PROGRESS, progress(campaign, now))


def counted(counts: ContactCounts) -> CampaignCounters:
    """The same in the campaign's own words."""
    return CampaignCounters(contacts=dict(counts.states), finals=dict(counts.finals), attempts=dict(counts.outcomes))
