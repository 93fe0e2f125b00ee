"""What agents have been: found by their organization, taken up again, on record."""

from typing import Any

import pytest

from models.agent import Agent
from models.call import Versions
from models.document import new_id
from models.errors import Invalid, NotFound
from models.versioned import Prompt
from tests.documents import CONFIG, NOW
from tests.services.conftest import TO, House

pytestmark = pytest.mark.integration

PROMPT = "A completely different prompt."


async def made(house: House, **config: Any) -> Agent:
    """A new agent."""
    return await house.services.agents.create(
        house.principal, name="A", config=CONFIG.model_copy(update=config), now=NOW
    )


async def test_creating_copying_and_changing_leave_versions(house: House) -> None:
    agents, mine = house.services.agents, house.principal
    agent = await made(house)
    changed = await agents.update(mine, agent.id, name=None, config={"prompt": PROMPT}, is_active=False, now=NOW)
    copy = await agents.duplicate(mine, agent.id, name=None, now=NOW)
    assert [each.version for each in (agent, changed, copy)] == [1, 2, 1]
    now, found = await agents.history(mine, agent.id, page=1, limit=9)
    assert (now, found.total) == (changed, 2)
    second, first = found.items
    assert (second.previous_id, second.body.config.prompt, second.body.is_active) == (first.id, PROMPT, False)
    assert (first.previous_id, first.body.config, first.created_by) == (None, CONFIG, mine.user_id)
    assert await agents.version(mine, agent.id, first.id) == (changed, first)
    _, of_copy = await agents.history(mine, copy.id, page=1, limit=9)
    assert [(each.id, each.body.config.prompt) for each in of_copy.items] == [(copy.version_id, PROMPT)]


async def test_a_version_is_taken_up_again_and_on_record(house: House) -> None:
    agents, mine = house.services.agents, house.principal
    agent = await made(house)
    await agents.update(mine, agent.id, name="B", config={"prompt": PROMPT}, now=NOW)
    back = await agents.activate(mine, agent.id, agent.version_id or "", NOW)
    assert (back.version, back.name, back.config) == (1, "A", CONFIG)
    wanted: dict[str, Any] = {"user_id": None, "since": None, "before": None, "page": 1, "limit": 9}
    seen = await house.services.audit.page(mine, subject="agent", subject_id=agent.id, **wanted)
    told = {record.action: record.details for record in seen.items}
    assert told["agent.activate"] == {"versionId": agent.version_id, "version": 1}
    assert (told["agent.update"]["version"], told["agent.update"]["fields"]) == (2, ["config.prompt", "name"])
    assert "different" not in str(seen.items)


async def test_a_version_whose_prompt_is_gone_is_not_taken_up(house: House) -> None:
    agents, mine = house.services.agents, house.principal
    prompt = await house.services.prompts.create(mine, name="P", body=Prompt(content=PROMPT), now=NOW)
    agent = await made(house, prompt_id=prompt.head.id)
    freed = await agents.update(mine, agent.id, name=None, config={"promptId": None}, now=NOW)
    await house.services.prompts.delete(mine, prompt.head.id, NOW)
    with pytest.raises(Invalid) as refused:
        await agents.activate(mine, agent.id, agent.version_id or "", NOW)
    assert [each.field for each in refused.value.fields] == ["config.promptId"]
    assert (await agents.get(mine, agent.id))[0] == freed


async def test_a_call_keeps_the_version_it_ran_with(house: House) -> None:
    agents, mine = house.services.agents, house.principal
    number, _ = await house.line(mine)
    agent = await made(house)
    order: dict[str, Any] = {"from_phone": number, "to_phone": TO, "agent_id": agent.id, "metadata": {}, "now": NOW}
    before = await house.services.calls.place_outbound(mine, **order)
    changed = await agents.update(mine, agent.id, name=None, config={"prompt": PROMPT}, now=NOW)
    after = await house.services.calls.place_outbound(mine, **order)
    logged = [await house.services.calls.get(mine, call.id) for call in (before, after)]
    assert [call.versions for call in logged] == [
        Versions(agent_version_id=agent.version_id),
        Versions(agent_version_id=changed.version_id),
    ]
    _, ran_with = await agents.version(mine, agent.id, agent.version_id or "")
    assert ran_with.body.config == logged[0].agent_config


async def test_an_agent_that_is_switched_off_makes_no_calls(house: House) -> None:
    number, _ = await house.line(house.principal)
    agent = await made(house)
    order: dict[str, Any] = {"from_phone": number, "to_phone": TO, "agent_id": agent.id, "metadata": {}, "now": NOW}
    await house.services.agents.update(house.principal, agent.id, name=None, config=None, is_active=False, now=NOW)
    with pytest.raises(Invalid):
        await house.services.calls.place_outbound(house.principal, **order)
    await house.services.agents.update(house.principal, agent.id, name=None, config=None, is_active=True, now=NOW)
    assert (await house.services.calls.place_outbound(house.principal, **order)).agent_id == agent.id


async def test_nobody_elses_and_no_deleted_ones_are_found(house: House) -> None:
    agents, mine = house.services.agents, house.principal
    agent, other, stranger = await made(house), await made(house), await house.tenant()
    version_id = agent.version_id or ""

    async def refused(principal: Any, agent_id: str, version: str) -> None:
        with pytest.raises(NotFound):
            await agents.version(principal, agent_id, version)
        with pytest.raises(NotFound):
            await agents.activate(principal, agent_id, version, NOW)

    for agent_id, version in ((other.id, version_id), (agent.id, new_id()), (new_id(), version_id)):
        await refused(mine, agent_id, version)
    await refused(stranger, agent.id, version_id)
    with pytest.raises(NotFound):
        await agents.history(stranger, agent.id, page=1, limit=9)
    await agents.delete(mine, agent.id, NOW)
    await refused(mine, agent.id, version_id)
    with pytest.raises(NotFound):
        await agents.history(mine, agent.id, page=1, limit=9)
