"""Runs one campaign, life after life, until it rests or another actor has it. Knows no Ray."""

import asyncio
import logging

from actors.campaign.around import Around
from actors.campaign.book import FAR
from actors.campaign.errands import Errands
from actors.campaign.life import BeginAnew, Life, Superseded
from actors.campaign.standing import standing_of
from models.campaign import Campaign, CampaignStatus
from models.document import Id, new_id
from stores.outage import AWAY

logger = logging.getLogger(__name__)

PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LONG_S = 120.0
"""After a life that lasted so long the next one begins as soon as after the first."""


class CampaignRunner:
    """`run` is called once."""

    def __init__(self, campaign_id: Id, around: Around) -> None:
        self._campaign_id = campaign_id
        self._around = around
        self._life: Life | None = None

    def look(self) -> None:
        """Somebody has decided something."""
        if self._life is not None:
            self._life.look.set()

    async def run(self) -> None:
        """Returns when no actor is needed any more, or none but another."""
        clock, pause_s = asyncio.get_running_loop().time, PAUSE_S
        while True:
            began = clock()
            try:
                return await self._live()
            except Superseded:
                logger.warning("another actor has the campaign", extra={"campaign": self._campaign_id})
                return
            except BeginAnew as reason:
                logger.info("a campaign begins anew", extra={"campaign": self._campaign_id, "reason": str(reason)})
            except AWAY as error:
                problem = type(error).__name__
                logger.warning("a campaign cannot begin", extra={"campaign": self._campaign_id, "problem": problem})
            except Exception:  # whatever it was, the campaign goes on from what is written
                logger.exception("a campaign broke off", extra={"campaign": self._campaign_id})
            pause_s = PAUSE_S if clock() - began > LONG_S else min(2 * pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _live(self) -> None:
        now = self._around.now()
        campaign = await self._around.campaigns.take(self._campaign_id, new_id(), now)
        if campaign is None:
            return
        if campaign.status is CampaignStatus.DRAFT:
            await self._around.campaigns.rest(campaign, now)
            return
        errands = Errands()
        try:
            self._life = await self._begun(campaign, errands)
            await self._life.live()
        finally:
            self._life = None
            await errands.close()

    async def _begun(self, campaign: Campaign, errands: Errands) -> Life:
        """From here on earlier lives claim nobody, and begin nothing of what they had claimed."""
        contacts, now = self._around.contacts, self._around.now()
        released = await contacts.release_stale(campaign.id, now + FAR, now)
        standing = await standing_of(campaign, contacts, now)
        about = {"campaign": campaign.id, "status": campaign.status.value, "under_way": len(standing.live)}
        logger.info("a campaign's actor begins", extra={**about, "released": released})
        return Life(campaign, self._around, standing, errands)
