"""Everybody's way to the actors of campaigns: one for each campaign that needs one, found by the campaign's id.

They are detached and restarted when they crash. One that is lost for good is started again by whoever looks next
(`serve_app/campaign_rounds.py`); two of the same name there never are, and two of one campaign for a moment at most,
of which the store lets one dial.
"""

import asyncio
import logging
from typing import Any

import ray
from ray.exceptions import RayError

from actors.call_session.pool import ActorLost
from actors.campaign.actor import CampaignActor
from actors.cluster.pool import record, recorded
from actors.cluster.revision import revision_of
from actors.handles import LOGICAL_CPU, ask, kill, names
from models.document import Id
from models.settings import Settings

logger = logging.getLogger(__name__)

CAMPAIGN_PREFIX = "campaign:"
CAMPAIGNS = "campaigns"
"""Under this name the book of revisions has which one starts actors of campaigns."""
ANSWER_S = 2.0


def actor_name(campaign_id: str) -> str:
    """What a campaign's actor is called."""
    return CAMPAIGN_PREFIX + campaign_id


def start(settings: Settings, campaign_id: str) -> Any:
    """The handle of the campaign's actor, started now or running already."""
    options = {
        "name": actor_name(campaign_id),
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_restarts": -1,
        "num_cpus": LOGICAL_CPU,
    }
    return ray.remote(CampaignActor).options(**options).remote(settings, campaign_id)


def renew(settings: Settings) -> None:
    """Have all that run be of this revision, and none of another be started any more; blocks."""
    namespace, revision = settings.ray_namespace, _revision(settings)
    if recorded(namespace, CAMPAIGNS) == revision:
        return
    record(namespace, CAMPAIGNS, revision)
    for name in names(namespace, CAMPAIGN_PREFIX):
        kill(namespace, name)  # calls go on without it
        start(settings, name.removeprefix(CAMPAIGN_PREFIX))


def stop(namespace: str) -> None:
    """End them all; blocks. Whoever starts them has to be gone, or starts them again."""
    record(namespace, CAMPAIGNS, "")
    for name in names(namespace, CAMPAIGN_PREFIX):
        kill(namespace, name)


class CampaignHandles:
    """What the edge does with them; also the `CampaignActors` of the services.

    A replica of an older revision, which only finishes its calls, starts none: they would have its settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._revision = _revision(settings)

    async def see_to(self, campaign_id: Id) -> None:
        """Have the campaign's actor look at it now, and run at all; raises nothing."""
        try:
            await asyncio.to_thread(self._see_to, campaign_id)
        except (RayError, RuntimeError, ValueError) as error:
            problem = type(error).__name__
            logger.warning("a campaign's actor was not told", extra={"campaign": campaign_id, "problem": problem})

    async def running(self) -> set[Id]:
        """The campaigns that have an actor."""
        found = await asyncio.to_thread(names, self._settings.ray_namespace, CAMPAIGN_PREFIX)
        return {Id(name.removeprefix(CAMPAIGN_PREFIX)) for name in found}

    async def answers(self, campaign_id: Id) -> bool:
        """Whether the campaign's actor is alive to the world; one that still begins is not."""
        try:
            name, namespace = actor_name(campaign_id), self._settings.ray_namespace
            actor = await asyncio.to_thread(ray.get_actor, name, namespace)
            await ask(actor.look.remote(), ANSWER_S)
        except (ActorLost, TimeoutError, ValueError):
            return False
        return True

    async def end(self, campaign_id: Id) -> None:
        """End the campaign's actor, whatever it does."""
        await asyncio.to_thread(kill, self._settings.ray_namespace, actor_name(campaign_id))

    def _see_to(self, campaign_id: Id) -> None:
        if recorded(self._settings.ray_namespace, CAMPAIGNS) in (None, self._revision):
            start(self._settings, campaign_id).look.remote()
        else:
            ray.get_actor(actor_name(campaign_id), self._settings.ray_namespace).look.remote()


def _revision(settings: Settings) -> str:
    return revision_of(settings, driver=CAMPAIGNS)
