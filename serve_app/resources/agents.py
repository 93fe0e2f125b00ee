"""/agents: the prompts, voices and models that answer phones."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import ConfigDict, Field

from models.agent import Agent, AgentConfig
from models.document import Model, Time
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.principal import Principal
from services.tool_secrets import masked
from stores.figures import Figures

router = APIRouter(prefix="/agents", tags=["agents"])

Reader = Annotated[Principal, Depends(allowed("agents:read"))]
Writer = Annotated[Principal, Depends(allowed("agents:write"))]

Name = Annotated[str, Field(min_length=1, max_length=100)]

EXAMPLE: dict[str, Any] = {
    "name": "Sales Agent",
    "config": {
        "prompt": "You are a friendly sales representative...",
        "voice": {"provider": "elevenlabs", "voiceId": "21m00Tcm4TlvDq8ikWAM", "model": "eleven_turbo_v2"},
        "language": "en",
        "llm": {"model": "gpt-4", "temperature": 0.7},
        "firstMessage": "Hi! I'm calling from XYZ Company.",
        "sessionTimeout": 300,
    },
}


class CreateAgent(Model):
    """A new agent."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    name: Name
    config: AgentConfig


class UpdateAgent(Model):
    """What to change; everything else stays, inside `config` too."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Updated Sales Agent", "config": {"prompt": "Updated prompt...", "temperature": 0.8}}]
        }
    )
    name: Name | None = None
    config: dict[str, Any] | None = None
    is_active: Annotated[bool | None, Field(description="false: the agent neither takes nor makes calls")] = None


class DuplicateAgent(Model):
    """The copy's name; by default `Copy of` the original's."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Copy of Sales Agent"}]})
    name: Name | None = None


class AgentStats(Model):
    """What an agent's calls come to; seconds, average and success rate of the calls that are over."""

    total_calls: int
    total_duration: int
    avg_duration: int
    success_rate: float

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """As the API shows them."""
        return cls(
            total_calls=figures.calls,
            total_duration=figures.seconds,
            avg_duration=figures.average_seconds,
            success_rate=figures.success_rate,
        )


class AgentResource(Model):
    """An agent; `stats` only where one agent is asked for. Header values of its functions are shown as ********, and
    what is sent so keeps its value. `version_id` is that of the version that is active."""

    id: Annotated[str, Field(alias="_id")]
    user_id: str
    name: str
    config: AgentConfig
    is_active: bool
    version: int
    version_id: Maybe[str] = None
    stats: Maybe[AgentStats] = None
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, agent: Agent, figures: Figures | None = None) -> Self:
        """As the API shows it."""
        return cls(
            id=agent.id,
            user_id=agent.user_id,
            name=agent.name,
            config=masked(agent.config),
            is_active=agent.is_active,
            version=agent.version,
            version_id=agent.version_id,
            stats=figures and AgentStats.of(figures),
            created_at=agent.created_at,
            updated_at=agent.updated_at,
        )


class AgentData(Model):
    """`data` with one agent."""

    agent: AgentResource


class AgentsData(Model):
    """`data` with a page of agents."""

    agents: list[AgentResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403))
async def list_agents(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    search: Annotated[str | None, Query(max_length=100, description="Part of an agent's name")] = None,
) -> Success[AgentsData]:
    """The organization's agents, newest first."""
    found = await services.agents.page(caller, search=search, page=page, limit=limit)
    agents = [AgentResource.of(agent) for agent in found.items]
    return Success(data=AgentsData(agents=agents, pagination=Pagination.of(found)))


@router.post("", status_code=201, responses=fails_with(400, 401, 403))
async def create_agent(body: CreateAgent, caller: Writer, services: Provided, now: Now) -> Success[AgentData]:
    """Create an agent."""
    agent = await services.agents.create(caller, name=body.name, config=body.config, now=now)
    return Success(data=AgentData(agent=AgentResource.of(agent)))


@router.get("/{agent_id}", responses=fails_with(401, 403, 404))
async def get_agent(agent_id: str, caller: Reader, services: Provided) -> Success[AgentData]:
    """An agent, with what its calls come to."""
    return Success(data=AgentData(agent=AgentResource.of(*await services.agents.get(caller, agent_id))))


@router.put("/{agent_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_agent(
    agent_id: str, body: UpdateAgent, caller: Writer, services: Provided, now: Now
) -> Success[AgentData]:
    """Change parts of an agent, which makes a new version. Calls under way keep the configuration they began with."""
    agent = await services.agents.update(
        caller, agent_id, name=body.name, config=body.config, is_active=body.is_active, now=now
    )
    return Success(data=AgentData(agent=AgentResource.of(agent)))


@router.delete("/{agent_id}", responses=fails_with(401, 403, 404, 409))
async def delete_agent(agent_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Delete an agent that has no live calls."""
    await services.agents.delete(caller, agent_id, now)
    return Done(message="Agent deleted successfully")


@router.post("/{agent_id}/duplicate", status_code=201, responses=fails_with(400, 401, 403, 404))
async def duplicate_agent(
    agent_id: str, caller: Writer, services: Provided, now: Now, body: DuplicateAgent | None = None
) -> Success[AgentData]:
    """Copy an agent."""
    name = None if body is None else body.name
    agent = await services.agents.duplicate(caller, agent_id, name=name, now=now)
    return Success(data=AgentData(agent=AgentResource.of(agent)))
