"""Agents."""

from datetime import datetime
from typing import Any

from models.agent import Agent, AgentConfig
from models.document import new_id
from models.errors import Conflict
from providers.tools.addresses import AddressGuard
from services.agent_merge import Patch, merge
from services.agent_versions import AgentVersions
from services.audit import AuditService
from services.dispositions import check_words
from services.principal import Principal
from services.sms_rules import check_named
from services.tool_rules import check_tools
from services.tool_secrets import masked, sealed
from stores.agents import AgentVersion
from stores.figures import Figures
from stores.repositories import Repositories
from stores.repository import Page
from stores.secrets import Secrets


class AgentService:
    """The rules around agents. Every method raises NotFound for an agent of another organization.

    What comes back has the headers of its functions encrypted; see `services.tool_secrets`.
    """

    def __init__(
        self,
        repositories: Repositories,
        audit: AuditService,
        *,
        secrets: Secrets,
        guard: AddressGuard,
        versions: AgentVersions,
    ) -> None:
        self._stores = repositories
        self._audit = audit
        self._agents = repositories.agents
        self._secrets = secrets
        self._guard = guard
        self._versions = versions

    async def create(self, principal: Principal, *, name: str, config: AgentConfig, now: datetime) -> Agent:
        """A new agent of the user's; raises Invalid."""
        check_tools(config, self._guard)
        check_words(config)
        check_named(config)
        await self._versions.check(principal.organization_id, config.model_dump(by_alias=True))
        agent = await self._store(principal, name, sealed(config, self._secrets), now)
        await self._audit.record(principal, "create", "agent", agent.id, now)
        return agent

    async def page(self, principal: Principal, *, search: str | None, page: int, limit: int) -> Page[Agent]:
        """The organization's agents, newest first; `search` is part of a name."""
        return await self._agents.search(principal.organization_id, search, page=page, limit=limit)

    async def get(self, principal: Principal, agent_id: str) -> tuple[Agent, Figures]:
        """An agent, and what its calls come to."""
        agent = await self._agents.get(principal.organization_id, agent_id)
        return agent, await self._stores.calls.figures(principal.organization_id, agent.id)

    async def update(
        self,
        principal: Principal,
        agent_id: str,
        *,
        name: str | None,
        config: Patch | None,
        is_active: bool | None = None,
        now: datetime,
    ) -> Agent:
        """A new version: change what is given and keep the rest, inside `config` too. Live calls keep theirs.

        Raises Invalid, and Conflict when too many others change the agent at the same time.
        """
        agent = await self._agents.get(principal.organization_id, agent_id)
        given = {"name": name, "isActive": is_active}
        fields: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
        if config is not None:
            leaves = self._merged(agent.config, config)
            await self._versions.check(principal.organization_id, leaves)
            fields |= {f"config.{path}": value for path, value in leaves.items()}
        changed = await self._agents.change(principal.organization_id, agent.id, fields, now, principal.user_id)
        version = {"versionId": changed.version_id, "version": changed.version}
        await self._audit.record(principal, "update", "agent", agent.id, now, fields=sorted(fields), **version)
        return changed

    async def history(
        self, principal: Principal, agent_id: str, *, page: int, limit: int
    ) -> tuple[Agent, Page[AgentVersion]]:
        """An agent, and all its versions, newest first."""
        agent = await self._agents.get(principal.organization_id, agent_id)
        return agent, await self._agents.history(agent, page=page, limit=limit)

    async def version(self, principal: Principal, agent_id: str, version_id: str) -> tuple[Agent, AgentVersion]:
        """An agent, and one of its versions."""
        agent = await self._agents.get(principal.organization_id, agent_id)
        return agent, await self._agents.version(agent, version_id)

    async def activate(self, principal: Principal, agent_id: str, version_id: str, now: datetime) -> Agent:
        """Have an agent be what this version of it says; raises Invalid when that names what has been deleted since."""
        agent, version = await self.version(principal, agent_id, version_id)
        await self._versions.check(principal.organization_id, version.body.config.model_dump(by_alias=True))
        activated = await self._agents.activate(version, now, principal.user_id)
        told = {"versionId": version.id, "version": version.version}
        await self._audit.record(principal, "activate", "agent", agent.id, now, **told)
        return activated

    async def delete(self, principal: Principal, agent_id: str, now: datetime) -> None:
        """Remove an agent and take it off its phones; raises Conflict while it has calls."""
        agent = await self._agents.get(principal.organization_id, agent_id)
        if await self._stores.calls.is_agent_busy(principal.organization_id, agent.id):
            raise Conflict("Cannot delete agent with active calls")
        await self._stores.phones.forget_agent(principal.organization_id, agent.id, now, principal.user_id)
        await self._agents.delete(principal.organization_id, agent.id, now, principal.user_id)
        await self._audit.record(principal, "delete", "agent", agent.id, now)

    async def duplicate(self, principal: Principal, agent_id: str, *, name: str | None, now: datetime) -> Agent:
        """The same configuration under a new name."""
        agent = await self._agents.get(principal.organization_id, agent_id)
        copy = name or f"Copy of {agent.name}"[:100]
        made = await self._store(principal, copy, agent.config, now)
        await self._audit.record(principal, "duplicate", "agent", made.id, now, original=agent.id)
        return made

    def _merged(self, current: AgentConfig, patch: Patch) -> dict[str, Any]:
        """The changed leaves, functions as they are stored; raises Invalid."""
        config, leaves = merge(current, patch)
        if {"dispositions", "smsAfter.dispositions"} & leaves.keys():
            check_words(config)
        if {"smsAfter.outcomes", "smsTemplateId"} & leaves.keys():
            check_named(config)
        if not any(path.startswith("tools.") for path in leaves):
            return leaves
        if "tools.functions" not in leaves:
            check_tools(masked(config), self._guard)  # what is stored is encrypted, and longer than a client may send
            return leaves
        check_tools(config, self._guard)
        stored = sealed(config, self._secrets, before=current.tools).tools
        return {**leaves, "tools.functions": stored.model_dump(by_alias=True)["functions"]}

    async def _store(self, principal: Principal, name: str, config: AgentConfig, now: datetime) -> Agent:
        return await self._agents.insert(
            Agent(
                id=new_id(),
                **principal.signature(now),
                user_id=principal.user_id,
                name=name,
                config=config,
            )
        )
