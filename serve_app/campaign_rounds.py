"""Sees to it that every campaign that needs an actor has one that answers. Every replica does; one at a time, mostly.

Ray restarts an actor whose process died. Here those come back that Ray has given up, that were lost with a node, that
were never started because nobody could, and those that are frozen.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from models.campaign import Campaign
from models.document import Id

logger = logging.getLogger(__name__)

ROUND_S = 3.0
AHEAD = timedelta(seconds=10)
"""What it takes an actor to begin on a busy machine."""
AT_ONCE = 8
"""Actors that are started in one round. Each takes seconds of a core, and calls go on meanwhile."""
SILENT = timedelta(seconds=60)
"""An actor that has not answered for so long never will: it is frozen. One that begins on a busy machine takes less."""


class ToRun(Protocol):
    """`stores.campaigns.Campaigns`."""

    async def to_run(self, by: datetime, limit: int = 1000) -> list[Campaign]:
        """Those that need an actor by then."""


class Actors(Protocol):
    """`actors.campaigns.CampaignHandles`."""

    async def running(self) -> set[Id]:
        """The campaigns that have an actor."""

    async def see_to(self, campaign_id: Id) -> None:
        """Start one, unless it is there. Raises nothing."""

    async def answers(self, campaign_id: Id) -> bool:
        """Whether it does."""

    async def end(self, campaign_id: Id) -> None:
        """End one, whatever it does."""


class CampaignRounds:
    """What is to be done in each round. `now` is the clock."""

    def __init__(self, campaigns: ToRun, actors: Actors, now: Callable[[], datetime]) -> None:
        self._campaigns = campaigns
        self._actors = actors
        self._now = now
        self._silent_since: dict[Id, datetime] = {}

    async def round(self) -> None:
        """Look at all of them once."""
        wanted = {campaign.id for campaign in await self._campaigns.to_run(self._now() + AHEAD)}
        running = await self._actors.running()
        missing = wanted - running
        if missing:
            logger.warning("campaigns have no actor", extra={"count": len(missing)})
        await asyncio.gather(*(self._actors.see_to(each) for each in sorted(missing)[:AT_ONCE]))
        await asyncio.gather(*(self._end(each) for each in await self._frozen(wanted & running)))

    async def _frozen(self, asked: Iterable[Id]) -> list[Id]:
        """Those that have been silent for too long, as far as this replica has asked."""
        ids = list(asked)
        answers = await asyncio.gather(*(self._actors.answers(each) for each in ids))
        known, now = self._silent_since, self._now()
        self._silent_since = {
            each: known.get(each, now) for each, is_well in zip(ids, answers, strict=True) if not is_well
        }
        return [each for each, since in self._silent_since.items() if now - since >= SILENT]

    async def _end(self, campaign_id: Id) -> None:
        logger.warning("a campaign's actor is frozen", extra={"campaign": campaign_id})
        await self._actors.end(campaign_id)
        await self._actors.see_to(campaign_id)
