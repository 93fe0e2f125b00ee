"""Who starts the actors of campaigns that have none, and who ends those that are frozen."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.campaign import Campaign
from models.document import Id
from serve_app.campaign_rounds import SILENT, CampaignRounds
from tests.campaign.stage import a_campaign
from tests.documents import NOW


@dataclass
class Cluster:
    """Campaigns that need an actor, and the actors there are."""

    campaigns: list[Campaign]
    actors: set[Id] = field(default_factory=set)
    frozen: set[Id] = field(default_factory=set)
    started: list[Id] = field(default_factory=list)
    ended: list[Id] = field(default_factory=list)
    now: datetime = NOW

    async def to_run(self, by: datetime, limit: int = 1000) -> list[Campaign]:
        """See the role."""
        return self.campaigns[:limit]

    async def running(self) -> set[Id]:
        """See the role."""
        return set(self.actors)

    async def see_to(self, campaign_id: Id) -> None:
        """See the role."""
        self.started.append(campaign_id)
        self.actors.add(campaign_id)

    async def answers(self, campaign_id: Id) -> bool:
        """See the role."""
        return campaign_id not in self.frozen

    async def end(self, campaign_id: Id) -> None:
        """See the role."""
        self.ended.append(campaign_id)
        self.actors.discard(campaign_id)
        self.frozen.discard(campaign_id)


def rounds(cluster: Cluster) -> CampaignRounds:
    """Of a replica that has just begun."""
    return CampaignRounds(cluster, cluster, lambda: cluster.now)


async def test_campaigns_without_an_actor_get_one() -> None:
    campaigns = [a_campaign() for _ in range(3)]
    cluster = Cluster(campaigns, actors={campaigns[0].id})
    replica = rounds(cluster)
    await replica.round()
    assert sorted(cluster.started) == sorted(each.id for each in campaigns[1:])
    await replica.round()
    assert len(cluster.started) == 2


async def test_an_actor_that_is_silent_for_long_is_replaced() -> None:
    [campaign] = campaigns = [a_campaign()]
    cluster = Cluster(campaigns, actors={campaign.id}, frozen={campaign.id})
    replica = rounds(cluster)
    for _ in range(2):
        await replica.round()
        cluster.now += SILENT - timedelta(seconds=1)
        assert cluster.ended == []
    await replica.round()
    assert cluster.ended == cluster.started == [campaign.id]
    cluster.now += SILENT
    await replica.round()
    assert len(cluster.ended) == 1


async def test_an_actor_that_was_slow_once_is_left_alone() -> None:
    [campaign] = campaigns = [a_campaign()]
    cluster = Cluster(campaigns, actors={campaign.id})
    replica = rounds(cluster)
    for is_slow in (True, False, True):
        cluster.frozen = {campaign.id} if is_slow else set()
        await replica.round()
        cluster.now += SILENT - timedelta(seconds=1)
    assert cluster.ended == []
