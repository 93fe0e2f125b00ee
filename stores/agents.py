"""Agents, and all their versions. An agent's document says what its active version says, and which one that is."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.agent import Agent, AgentState
from models.document import Id, new_id
from models.errors import Conflict, NotFound
from models.versioned import Version
from stores.mongo import Database
from stores.repository import Page, Repository, Shape, Where
from stores.versioned import ATTEMPTS, StoredVersions

SHAPE = Shape(
    collection="agents",
    document=Agent,
    noun="Agent",
    taken="Agent already exists",
    indexes=(IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING)]),),
    deletable=True,
)

AgentVersion = Version[AgentState]


class Agents(Repository[Agent]):
    """Every query is a tenant's. Whatever comes out has a version: an agent of before gets its first one here.

    A version is stored before its agent says so, and the agent says all of it in one write: an interrupted change
    leaves behind at most a version that was never active.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)
        self._versions = StoredVersions(database, AgentVersion, collection="agentVersions", noun="Agent version")

    async def create_indexes(self) -> None:
        """As `Repository.create_indexes`."""
        await super().create_indexes()
        await self._versions.create_indexes()

    # --- reading --------------------------------------------------------------------------------------
    async def get(self, organization_id: Id, document_id: str) -> Agent:
        """As `Repository.get`."""
        return await self._with_version(await super().get(organization_id, document_id))

    async def search(self, organization_id: Id, text: str | None, *, page: int, limit: int) -> Page[Agent]:
        """Agents whose name contains `text` in any case, newest first."""
        # A NUL cannot be in a stored pattern; without it the text matches what a person would expect.
        pattern = re.escape((text or "").replace("\0", ""))
        where = {"name": {"$regex": pattern, "$options": "i"}} if pattern else {}
        found = await self.page(organization_id, where, page=page, limit=limit)
        return replace(found, items=[await self._with_version(agent) for agent in found.items])

    async def names(self, organization_id: Id, agent_ids: Iterable[Id]) -> dict[Id, str]:
        """The names of those agents that exist; a call keeps the name of a deleted one itself."""
        scope = self._of(organization_id, {"_id": {"$in": list(agent_ids)}})
        return {Id(row["_id"]): row["name"] async for row in self._rows.find(scope, {"name": True})}

    async def points_at(self, organization_id: Id, field: str, ids: Iterable[Id]) -> bool:
        """Whether the field of any agent's configuration (`promptId`) holds one of the ids."""
        return await self._one(self._of(organization_id, {f"config.{field}": {"$in": list(ids)}})) is not None

    async def history(self, agent: Agent, *, page: int, limit: int) -> Page[AgentVersion]:
        """All versions of the agent, the newest first."""
        return await self._versions.page(agent.organization_id, {"rootId": agent.id}, page=page, limit=limit)

    async def version(self, agent: Agent, version_id: str) -> AgentVersion:
        """The agent's version of this id; raises NotFound, also when it is another agent's."""
        version = await self._versions.get(agent.organization_id, version_id)
        if version.root_id != agent.id:
            raise NotFound("Agent version not found")
        return version

    # --- changing -------------------------------------------------------------------------------------
    async def insert(self, document: Agent) -> Agent:
        """As `Repository.insert`, with its first version."""
        first = _first(document)
        await self._versions.insert(first)
        return await super().insert(document.model_copy(update={"version": 1, "version_id": first.id}))

    async def change(
        self, organization_id: Id, document_id: str, fields: Where, now: datetime, by: Id | None = None
    ) -> Agent:
        """A new version, active at once: the agent with these fields of `name`, `isActive` and `config` set.

        Dotted paths reach inside, and what others set meanwhile stays. `by`: the user.

        Raises NotFound, and Conflict when too many others change the agent at the same time.
        """
        for _ in range(ATTEMPTS):
            agent = await self.get(organization_id, document_id)
            changed = Agent.model_validate(_with(agent.to_mongo(), fields))
            last = await self._versions.last(organization_id, agent.id)
            made = {"created_at": now, "updated_at": now, "created_by": by, "modified_by": by}
            version = _version(changed, id=new_id(), version=last.version + 1, previous_id=agent.version_id, **made)
            try:
                await self._versions.insert(version)
            except Conflict:
                continue
            # By its own id too: a write that arrived before its connection broke is found again.
            unmoved = {"versionId": {"$in": [agent.version_id, version.id]}}
            told = await self._tell(version, unmoved, now, by)
            if told is not None:
                return told
        raise Conflict("Agent was changed at the same time, please try again")

    async def activate(self, version: AgentVersion, now: datetime, by: Id) -> Agent:
        """Have the agent be what this version says; raises NotFound when it is gone. `by`: the user."""
        return self._found(await self._tell(version, {}, now, by))

    # --- inside -----------------------------------------------------------------------------------------
    async def _tell(self, version: AgentVersion, where: Where, now: datetime, by: Id | None) -> Agent | None:
        state = {"name": version.name, **version.body.model_dump(by_alias=True)}
        pointer = {"version": version.version, "versionId": version.id, "updatedAt": now, "modifiedBy": by}
        scope = self._of(version.organization_id, {"_id": version.root_id, **where})
        return await self._changed(scope, {"$set": {**state, **pointer}})

    async def _with_version(self, agent: Agent) -> Agent:
        """The agent; one of before versions gets its first, the same one however many find it at once."""
        if agent.version_id is not None:
            return agent
        first = _first(agent)
        await self._versions.insert(first)
        pointer = {"version": 1, "versionId": first.id}
        await self._changed(self._of(agent.organization_id, {"_id": agent.id, "versionId": None}), {"$set": pointer})
        return agent.model_copy(update={"version": 1, "version_id": first.id})


def _first(agent: Agent) -> AgentVersion:
    """What the agent is now, as version 1. Its id follows from the agent's."""
    first_id = Id(hashlib.sha256(f"{agent.id}/version/1".encode()).hexdigest()[:24])
    made = {"created_at": agent.updated_at, "updated_at": agent.updated_at}
    by = {"created_by": agent.modified_by, "modified_by": agent.modified_by}
    return _version(agent, id=first_id, version=1, **made, **by)


def _version(agent: Agent, **fields: Any) -> AgentVersion:
    state = AgentState(config=agent.config, is_active=agent.is_active)
    return AgentVersion(organization_id=agent.organization_id, root_id=agent.id, name=agent.name, body=state, **fields)


def _with(row: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The row, with the fields set in it."""
    for path, value in fields.items():
        *above, last = path.split(".")
        reduce(lambda inside, name: inside[name], above, row)[last] = value
    return row
