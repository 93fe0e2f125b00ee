"""Calls whose ledger is open: a list of what is still to be closed, should everybody who was to do it be gone.

Not the truth about a hold, which is the ledger's. A call is listed before its hold is entered and taken off after its
closing entry, so a crash between any two writes leaves it on the list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from models.document import Id, as_utc
from stores.mongo import Database, repeatable


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A call on the list."""

    call_id: Id
    organization_id: Id
    opened_at: datetime


class Holds:
    """Every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._rows = database["holds"]

    async def create_indexes(self) -> None:
        """Create what is missing."""
        await self._rows.create_indexes([IndexModel([("checkAt", ASCENDING)])])

    async def add(self, organization_id: Id, call_id: Id, now: datetime, check_at: datetime) -> None:
        """List a call; somebody looks after it at `check_at`."""
        row = {"organizationId": organization_id, "openedAt": now, "checkAt": check_at}
        await repeatable(lambda: self._rows.update_one({"_id": call_id}, {"$setOnInsert": row}, upsert=True))

    async def remove(self, call_id: Id) -> None:
        """Take a call off the list."""
        await repeatable(lambda: self._rows.delete_one({"_id": call_id}))

    async def due(self, now: datetime, limit: int) -> list[OpenHold]:
        """Calls to look after, those that waited longest first."""

        async def read() -> list[OpenHold]:
            rows = self._rows.find({"checkAt": {"$lte": now}}).sort("checkAt", ASCENDING).limit(limit)
            return [OpenHold(Id(row["_id"]), Id(row["organizationId"]), as_utc(row["openedAt"])) async for row in rows]

        return await repeatable(read)

    async def postpone(self, call_ids: Iterable[Id], check_at: datetime) -> None:
        """Look after these again later."""
        scope = {"_id": {"$in": list(call_ids)}}
        await repeatable(lambda: self._rows.update_many(scope, {"$set": {"checkAt": check_at}}))
