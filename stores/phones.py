"""Phone numbers. A carrier's webhook names a phone without knowing its tenant; its token is checked instead."""

from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.document import Id
from models.errors import Conflict
from models.phone import Phone, PhoneStatus
from stores.mongo import Database, repeatable
from stores.repository import NEWEST_FIRST, PRESENT, Page, Repository, Shape

SHAPE = Shape(
    collection="phones",
    document=Phone,
    noun="Phone",
    taken="Phone number already exists",
    indexes=(
        # Partial: a deleted phone sets its number free.
        IndexModel([("number", ASCENDING)], name="number_present", unique=True, partialFilterExpression=PRESENT),
        IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING)]),
    ),
    deletable=True,
    retired_indexes=("number_1",),
)


class Phones(Repository[Phone]):
    """Numbers are E.164 and unique over all organizations."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def search(self, organization_id: Id, status: PhoneStatus | None, *, page: int, limit: int) -> Page[Phone]:
        """Phones in this status, or all, newest first."""
        where = {} if status is None else {"status": status}
        return await self.page(organization_id, where, page=page, limit=limit)

    async def by_number(self, organization_id: Id, number: str) -> Phone:
        """The organization's phone with this number; raises NotFound."""
        return self._found(await self._one(self._of(organization_id, {"number": number})))

    async def require_free(self, number: str) -> None:
        """Raises Conflict when any organization has this number. The index says the last word, this the first."""
        if await self._one({"number": number}) is not None:
            raise Conflict(self._shape.taken)

    async def newest(self, organization_id: Id) -> Phone | None:
        """The phone imported last, whose carrier account the profile shows."""
        phones = await self._many(self._of(organization_id, {}), sort=NEWEST_FIRST, limit=1)
        return phones[0] if phones else None

    async def forget_agent(self, organization_id: Id, agent_id: Id, now: datetime, by: Id | None = None) -> None:
        """Leave the phones this agent answers without one."""
        scope = self._of(organization_id, {"agentId": agent_id})
        unassigned = {"agentId": None, "updatedAt": now, "modifiedBy": by}
        await repeatable(lambda: self._rows.update_many(scope, {"$set": unassigned}))

    async def by_id(self, phone_id: str) -> Phone:
        """The phone a verified webhook token names; raises NotFound."""
        return self._found(await self._one({"_id": phone_id}))
