"""Agents."""

import re
from collections.abc import Iterable

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.agent import Agent
from models.document import Id
from stores.mongo import Database
from stores.repository import Page, Repository, Shape

SHAPE = Shape(
    collection="agents",
    document=Agent,
    noun="Agent",
    taken="Agent already exists",
    indexes=(IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING)]),),
    deletable=True,
)


class Agents(Repository[Agent]):
    """Every query is a tenant's."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def search(self, organization_id: Id, text: str | None, *, page: int, limit: int) -> Page[Agent]:
        """Agents whose name contains `text` in any case, newest first."""
        # A NUL cannot be in a stored pattern; without it the text matches what a person would expect.
        pattern = re.escape((text or "").replace("\0", ""))
        where = {"name": {"$regex": pattern, "$options": "i"}} if pattern else {}
        return await self.page(organization_id, where, page=page, limit=limit)

    async def names(self, organization_id: Id, agent_ids: Iterable[Id]) -> dict[Id, str]:
        """The names of those agents that exist; a call keeps the name of a deleted one itself."""
        scope = self._of(organization_id, {"_id": {"$in": list(agent_ids)}})
        return {Id(row["_id"]): row["name"] async for row in self._rows.find(scope, {"name": True})}

    async def points_at(self, organization_id: Id, field: str, ids: Iterable[Id]) -> bool:
        """Whether the field of any agent's configuration (`promptId`) holds one of the ids."""
        return await self._one(self._of(organization_id, {f"config.{field}": {"$in": list(ids)}})) is not None
