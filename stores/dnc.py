"""Numbers that are not to be called: each organization's list, and the installation's, which is over all of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

from models.contact import DncEntry
from models.document import Id
from stores.mongo import Database, repeatable
from stores.repository import PRESENT, Page, Repository, Shape, given

SHAPE = Shape(
    collection="doNotCall",
    document=DncEntry,
    noun="Do-not-call entry",
    taken="The number is on the list already",
    indexes=(
        # Partial: what is taken off the list can be put on it again, and stays on record.
        IndexModel(
            [("number", ASCENDING), ("organizationId", ASCENDING)],
            name="number_present",
            unique=True,
            partialFilterExpression=PRESENT,
        ),
        IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING), ("_id", DESCENDING)]),
    ),
    deletable=True,
)

_DUPLICATE_KEY = 11000


class Dnc(Repository[DncEntry]):
    """A list is an organization's; `owner` None: the installation's."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def add_many(self, entries: Sequence[DncEntry]) -> int:
        """Put numbers of one list on it; how many were not there."""
        rows = [entry.to_mongo() for entry in entries]
        refused = 0

        async def insert() -> None:
            nonlocal refused
            try:
                await self._rows.insert_many(rows, ordered=False)
            except BulkWriteError as error:
                errors = error.details["writeErrors"]
                if any(each["code"] != _DUPLICATE_KEY for each in errors) or error.details["writeConcernErrors"]:
                    raise
                refused = len(errors)

        if rows:
            await repeatable(insert)
        if not refused:
            return len(rows)
        # Of a batch that was sent twice, the first attempt's entries are among those refused.
        mine = {"_id": {"$in": [entry.id for entry in entries]}}
        return await repeatable(lambda: self._rows.count_documents(mine))

    async def listed(self, owner: Id | None, number: str | None, *, page: int, limit: int) -> Page[DncEntry]:
        """A list, newest first; with `number`, that number's entry."""
        return await self.page(_tenant(owner), given(number=number), page=page, limit=limit)

    async def entry(self, owner: Id | None, entry_id: str) -> DncEntry:
        """An entry of this list; raises NotFound."""
        return await self.get(_tenant(owner), entry_id)

    async def remove(self, owner: Id | None, entry_id: str, now: datetime, by: Id) -> None:
        """Take an entry off this list; raises NotFound."""
        await self.delete(_tenant(owner), entry_id, now, by)

    async def blocked(self, organization_id: Id, numbers: Iterable[str]) -> set[str]:
        """Those of the numbers (E.164) that this organization must not call, by its own list or the installation's."""
        scope = self._present(
            {"number": {"$in": list(numbers)}, "organizationId": {"$in": [organization_id, None]}},
        )
        rows = await repeatable(lambda: self._rows.find(scope, {"_id": False, "number": True}).to_list())
        return {row["number"] for row in rows}


def _tenant(owner: Id | None) -> Id:
    """The installation's list is kept as that of an organization without an id."""
    return cast(Id, owner)
