"""Which revision's actors of campaigns run, with a Ray that only keeps names."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import ray

from actors import campaigns
from actors.campaigns import CAMPAIGN_PREFIX, CAMPAIGNS, CampaignHandles
from models.document import new_id
from models.settings import Settings

OLD = Settings(_env_file=None, ring_timeout_s=30)
NEW = Settings(_env_file=None, ring_timeout_s=40)


class Handle:
    """Of an actor that nobody asks anything."""

    def __init__(self) -> None:
        self.look = self
        self.told = 0

    def remote(self) -> None:
        """Counts."""
        self.told += 1


@dataclass
class Cluster:
    """Actors by name with the settings they were started from, and the book of revisions."""

    actors: dict[str, tuple[Settings, Handle]] = field(default_factory=dict)
    book: dict[str, str] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)

    def start(self, settings: Settings, campaign_id: str) -> Handle:
        """As Ray does, one for each name."""
        return self.actors.setdefault(CAMPAIGN_PREFIX + campaign_id, (settings, Handle()))[1]

    def kill(self, namespace: str, name: str) -> None:
        """Gone."""
        self.killed.append(name)
        del self.actors[name]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """In the place of Ray."""
    made = Cluster()
    put: dict[str, Any] = {
        "start": made.start,
        "kill": made.kill,
        "names": lambda namespace, prefix: [name for name in made.actors if name.startswith(prefix)],
        "record": lambda namespace, name, revision: made.book.update({name: revision}),
        "recorded": lambda namespace, name: made.book.get(name),
    }
    for name, stand_in in put.items():
        monkeypatch.setattr(campaigns, name, stand_in)
    monkeypatch.setattr(ray, "get_actor", lambda name, namespace: _there(made, name))
    return made


def _there(cluster: Cluster, name: str) -> Handle:
    if name not in cluster.actors:
        raise ValueError("no such actor")
    return cluster.actors[name][1]


async def test_a_campaign_is_seen_to_by_one_actor(cluster: Cluster) -> None:
    campaigns.renew(OLD)
    handles, campaign_id = CampaignHandles(OLD), new_id()
    assert await handles.running() == set()
    await handles.see_to(campaign_id)
    await handles.see_to(campaign_id)
    assert await handles.running() == {campaign_id}
    assert cluster.actors[CAMPAIGN_PREFIX + campaign_id][1].told == 2


async def test_an_upgrade_replaces_the_actors_and_older_replicas_start_none(cluster: Cluster) -> None:
    campaigns.renew(OLD)
    old, running, waiting = CampaignHandles(OLD), new_id(), new_id()
    await old.see_to(running)
    campaigns.renew(OLD)
    assert cluster.killed == []
    campaigns.renew(NEW)
    assert cluster.killed == [CAMPAIGN_PREFIX + running]
    assert [settings for settings, _ in cluster.actors.values()] == [NEW]
    await old.see_to(waiting)
    assert await old.running() == {running}
    await old.see_to(running)
    assert cluster.actors[CAMPAIGN_PREFIX + running][1].told == 1
    await CampaignHandles(NEW).see_to(waiting)
    assert await old.running() == {running, waiting}


async def test_after_the_end_of_the_product_nobody_starts_one(cluster: Cluster) -> None:
    campaigns.renew(OLD)
    handles, campaign_id = CampaignHandles(OLD), new_id()
    await handles.see_to(campaign_id)
    campaigns.stop(OLD.ray_namespace)
    await handles.see_to(campaign_id)
    assert cluster.actors == {}
    assert cluster.book[CAMPAIGNS] == ""
