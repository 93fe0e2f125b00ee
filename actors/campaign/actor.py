"""The Ray actor of one campaign: a process for its runner, begun by itself, also after a crash, until it rests."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ray

from models.settings import Settings

if TYPE_CHECKING:
    from actors.campaign.runner import CampaignRunner

logger = logging.getLogger(__name__)


class CampaignActor:
    """`campaign_id` is whose it is. Nothing of it is kept here that the store has not."""

    def __init__(self, settings: Settings, campaign_id: str) -> None:
        self._runner: CampaignRunner | None = None
        self._running = asyncio.get_running_loop().create_task(self._run(settings, campaign_id))

    async def look(self) -> None:
        """Somebody has decided something about the campaign."""
        if self._runner is not None:
            self._runner.look()

    async def leave(self) -> None:
        """End this process for good: Ray starts no other in its place."""
        ray.actor.exit_actor()  # type: ignore[no-untyped-call]

    async def _run(self, settings: Settings, campaign_id: str) -> None:
        try:
            async with opened(settings, campaign_id) as self._runner:
                await self._runner.run()
        except Exception:  # whatever it was, another actor is started, as the campaign needs one
            logger.exception("a campaign's actor broke off", extra={"campaign": campaign_id})
        # Ray ends an actor for good out of one of its methods only.
        ray.get_runtime_context().current_actor.leave.remote()


@asynccontextmanager
async def opened(settings: Settings, campaign_id: str) -> AsyncIterator["CampaignRunner"]:
    """A campaign's runner between the real parts, until the context is left."""
    # Replicas import this file for the class alone.
    from actors import metrics
    from actors.campaign.around import Around
    from actors.campaign.fence import fenced
    from actors.campaign.runner import CampaignRunner
    from actors.composition import CARRIER, on_ray
    from models.document import Id
    from providers.registry import telephony
    from services import traces
    from services.sweeper import MARGIN_S
    from stores.events import Events
    from stores.limits import Limits
    from stores.mongo import connect, database
    from stores.repositories import Repositories

    logging.getLogger("httpx").setLevel(logging.WARNING)  # below that it prints every address, keys included
    metrics.export()
    traces.begin(settings)
    redis_url = settings.redis_url or ""
    client, events, limits = connect(settings), Events(redis_url), Limits(redis_url)
    data = database(client, settings)
    stores = Repositories.over(data)
    carrier = fenced(telephony(CARRIER, settings), utc_now)
    services = on_ray(settings, data, carrier=carrier, events=events, limits=limits).services
    around = Around(
        campaigns=stores.campaigns,
        contacts=stores.contacts,
        calls=stores.calls,
        users=stores.users,
        lists=stores.dnc,
        dialler=services.calls,
        audience=events,
        now=utc_now,
        doubt=timedelta(seconds=settings.ring_timeout_s + MARGIN_S),
    )
    try:
        yield CampaignRunner(Id(campaign_id), around)
    finally:
        await limits.close()
        await events.close()
        await client.close()


def utc_now() -> datetime:
    """The actor's clock."""
    return datetime.now(UTC)
