"""Agents and their versions against the real database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from models.agent import Agent
from models.document import Id, new_id
from models.errors import Conflict, NotFound
from stores.agents import AgentVersion
from stores.repositories import Repositories
from tests.documents import NOW, an_agent
from tests.lost_answers import lose_one

pytestmark = pytest.mark.integration

LATER = NOW + timedelta(hours=1)


async def numbers(stores: Repositories, agent: Agent) -> list[int]:
    return [version.version for version in (await versions(stores, agent))]


async def versions(stores: Repositories, agent: Agent) -> list[AgentVersion]:
    return (await stores.agents.history(agent, page=1, limit=50)).items


async def test_every_change_leaves_a_version_of_the_whole_agent(stores: Repositories, organization_id: Id) -> None:
    ada, bob = new_id(), new_id()
    agent = await stores.agents.insert(an_agent(organization_id, modified_by=ada))
    changed = await stores.agents.change(organization_id, agent.id, {"config.llm.temperature": 0.1}, LATER, bob)
    off = await stores.agents.change(organization_id, agent.id, {"isActive": False, "name": "Off"}, LATER, bob)
    third, second, first = await versions(stores, off)
    assert [each.version for each in (first, second, third)] == [1, 2, 3]
    assert [each.previous_id for each in (first, second, third)] == [None, first.id, second.id]
    assert [each.created_by for each in (first, second, third)] == [ada, bob, bob]
    assert [each.created_at for each in (first, second, third)] == [NOW, LATER, LATER]
    assert [each.body.is_active for each in (first, second, third)] == [True, True, False]
    assert [each.body.config for each in (first, second, third)] == [agent.config, changed.config, changed.config]
    assert (changed.config.llm.temperature, agent.config.llm.temperature) == (0.1, 0.7)
    assert [(each.version, each.version_id) for each in (agent, changed, off)] == [
        (1, first.id),
        (2, second.id),
        (3, third.id),
    ]
    assert await stores.agents.get(organization_id, agent.id) == off
    assert (off.name, off.created_at, off.updated_at, off.modified_by) == ("Off", NOW, LATER, bob)


async def test_changes_at_once_all_arrive_and_are_numbered(stores: Repositories, organization_id: Id) -> None:
    agent = await stores.agents.insert(an_agent(organization_id))
    changes: list[dict[str, Any]] = [
        {"config.prompt": "A different prompt."},
        {"config.llm.temperature": 0.1},
        {"config.voice.voiceId": "other"},
        {"name": "Other"},
        {"isActive": False},
    ]
    await asyncio.gather(*(stores.agents.change(organization_id, agent.id, change, NOW) for change in changes))
    stored = await stores.agents.get(organization_id, agent.id)
    config = stored.config
    assert (config.prompt, config.llm.temperature, config.voice.voice_id) == ("A different prompt.", 0.1, "other")
    assert (stored.name, stored.is_active) == ("Other", False)
    found = await numbers(stores, stored)
    assert found == list(range(len(found), 0, -1))
    assert len(found) > len(changes)
    active = await stores.agents.version(stored, stored.version_id or "")
    assert (active.name, active.body.config, active.version) == ("Other", stored.config, stored.version)


async def test_an_old_version_is_taken_up_and_changed_again(stores: Repositories, organization_id: Id) -> None:
    agent = await stores.agents.insert(an_agent(organization_id))
    changed = await stores.agents.change(organization_id, agent.id, {"name": "B", "isActive": False}, NOW)
    first = await stores.agents.version(changed, agent.version_id or "")
    by = new_id()
    back = await stores.agents.activate(first, LATER, by)
    assert back == agent.model_copy(update={"updated_at": LATER, "modified_by": by})
    assert await numbers(stores, back) == [2, 1]
    on = await stores.agents.change(organization_id, agent.id, {"config.language": "hi"}, LATER)
    assert (on.version, on.name, on.is_active) == (3, agent.name, True)
    assert (await versions(stores, on))[0].previous_id == first.id


async def test_an_agent_of_before_gets_its_first_version_once(stores: Repositories, organization_id: Id) -> None:
    by = new_id()
    for read in ("get", "search", "change"):
        old = an_agent(organization_id, name=read, updated_at=LATER, modified_by=by)
        row = {name: value for name, value in old.to_mongo().items() if name not in ("version", "versionId")}
        await stores.agents._rows.insert_one(row)
        if read == "get":
            seen = await asyncio.gather(*(stores.agents.get(organization_id, old.id) for _ in range(8)))
            assert all(each == seen[0] for each in seen)
        elif read == "search":
            [listed] = (await stores.agents.search(organization_id, read, page=1, limit=9)).items
            assert listed == await stores.agents.get(organization_id, old.id)
        else:
            await stores.agents.change(organization_id, old.id, {"name": "changed"}, LATER)
        agent = await stores.agents.get(organization_id, old.id)
        first = (await versions(stores, agent))[-1]
        assert (first.version, first.name, first.body.config, first.created_by) == (1, read, old.config, by)
        assert await numbers(stores, agent) == ([2, 1] if read == "change" else [1])
        assert (agent.updated_at, agent.version_id == first.id) == (LATER, read != "change")


async def test_a_change_cut_short_leaves_the_agent_as_it_was(
    stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await stores.agents.insert(an_agent(organization_id))

    async def dying(*_: Any, **__: Any) -> Any:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(stores.agents._rows, "find_one_and_update", dying)
        with pytest.raises(RuntimeError, match="killed"):
            await stores.agents.change(organization_id, agent.id, {"name": "Cut"}, NOW)
    assert await stores.agents.get(organization_id, agent.id) == agent
    assert await numbers(stores, agent) == [2, 1]
    changed = await stores.agents.change(organization_id, agent.id, {"name": "Whole"}, NOW)
    assert (changed.version, changed.name) == (3, "Whole")
    assert (await versions(stores, changed))[0].previous_id == agent.version_id


async def test_a_change_that_arrived_before_its_connection_broke_is_one(
    stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await stores.agents.insert(an_agent(organization_id))
    arrived = lose_one(stores.agents, monkeypatch)
    changed = await stores.agents.change(organization_id, agent.id, {"name": "Once"}, NOW)
    assert (len(arrived), changed.version, await numbers(stores, changed)) == (2, 2, [2, 1])


async def test_who_is_overtaken_every_time_is_told_so(
    stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await stores.agents.insert(an_agent(organization_id))

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(stores.agents, "_tell", nothing)
        with pytest.raises(Conflict, match="try again"):
            await stores.agents.change(organization_id, agent.id, {"name": "Late"}, NOW)
    assert await stores.agents.get(organization_id, agent.id) == agent


async def test_versions_are_their_agents_alone(stores: Repositories, organization_id: Id) -> None:
    agent, other = [await stores.agents.insert(an_agent(organization_id)) for _ in range(2)]
    stranger = await stores.agents.insert(an_agent(new_id()))
    for version_id in (other.version_id, stranger.version_id, agent.id, new_id(), "x", "\0"):
        with pytest.raises(NotFound, match="Agent version not found"):
            await stores.agents.version(agent, version_id or "")
    first = await stores.agents.version(agent, agent.version_id or "")
    await stores.agents.delete(organization_id, agent.id, NOW)
    with pytest.raises(NotFound, match="Agent not found"):
        await stores.agents.activate(first, NOW, new_id())
    with pytest.raises(NotFound, match="Agent not found"):
        await stores.agents.change(organization_id, agent.id, {"name": "Gone"}, NOW)
