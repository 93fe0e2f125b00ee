"""/agents/{id}/versions: what an agent has been. Its own id stays the same; calls name the version they ran with."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import Field

from models.agent import Agent, AgentConfig
from models.document import Model, Time
from serve_app.authentication import Now, Provided
from serve_app.envelope import Maybe, Pagination, Success
from serve_app.resources.agents import AgentData, AgentResource, Reader, Writer
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.tool_secrets import masked
from stores.agents import AgentVersion

router = APIRouter(prefix="/agents/{agent_id}/versions", tags=["agents"])


class AgentVersionResource(Model):
    """A version of an agent, written once. `is_active`: the agent is, at the moment, what this version says. Its own
    `isActive` in this version is `agent_is_active`. `previous_id` is the version this one was made from."""

    id: Annotated[str, Field(alias="_id")]
    agent_id: str
    version: int
    previous_id: str | None
    name: str
    config: AgentConfig
    agent_is_active: bool
    is_active: bool
    created_at: Time
    created_by: Maybe[str] = None

    @classmethod
    def of(cls, agent: Agent, version: AgentVersion) -> Self:
        """As the API shows it."""
        return cls(
            id=version.id,
            agent_id=agent.id,
            version=version.version,
            previous_id=version.previous_id,
            name=version.name,
            config=masked(version.body.config),
            agent_is_active=version.body.is_active,
            is_active=version.id == agent.version_id,
            created_at=version.created_at,
            created_by=version.created_by,
        )


class AgentVersionData(Model):
    """`data` with one version."""

    version: AgentVersionResource


class AgentVersionsData(Model):
    """`data` with a page of an agent's versions."""

    versions: list[AgentVersionResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403, 404))
async def list_agent_versions(
    agent_id: str, caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[AgentVersionsData]:
    """All versions of an agent, newest first."""
    agent, found = await services.agents.history(caller, agent_id, page=page, limit=limit)
    versions = [AgentVersionResource.of(agent, version) for version in found.items]
    return Success(data=AgentVersionsData(versions=versions, pagination=Pagination.of(found)))


@router.get("/{version_id}", responses=fails_with(401, 403, 404))
async def get_agent_version(
    agent_id: str, version_id: str, caller: Reader, services: Provided
) -> Success[AgentVersionData]:
    """One version of an agent."""
    version = AgentVersionResource.of(*await services.agents.version(caller, agent_id, version_id))
    return Success(data=AgentVersionData(version=version))


@router.post("/{version_id}/activate", responses=fails_with(400, 401, 403, 404))
async def activate_agent_version(
    agent_id: str, version_id: str, caller: Writer, services: Provided, now: Now
) -> Success[AgentData]:
    """Make the agent what this version says, from its next call on."""
    agent = await services.agents.activate(caller, agent_id, version_id, now)
    return Success(data=AgentData(agent=AgentResource.of(agent)))
