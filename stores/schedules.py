"""Schedules. Every change is one conditional write of the whole document: whoever read an older one changes nothing."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from models.document import Id
from models.schedule import Occurrence, Schedule, ScheduleStatus
from stores.mongo import Database, repeatable
from stores.repository import Page, Repository, Shape, Where, given

_NEWEST = (("createdAt", DESCENDING), ("_id", DESCENDING))
BY_WAKE = (("wakeAt", ASCENDING), ("_id", ASCENDING))
BY_ID = (("_id", ASCENDING),)
DUPLICATE = 11000

SHAPE = Shape(
    collection="schedules",
    document=Schedule,
    noun="Schedule",
    taken="Schedule already exists",
    indexes=(
        IndexModel(BY_WAKE),
        IndexModel([("organizationId", ASCENDING), *_NEWEST]),
        IndexModel([("organizationId", ASCENDING), ("status", ASCENDING), *_NEWEST]),
        IndexModel([("organizationId", ASCENDING), ("agentId", ASCENDING), *_NEWEST]),
    ),
)
OCCURRENCES = Shape(
    collection="scheduleOccurrences",
    document=Occurrence,
    noun="Occurrence",
    taken="Occurrence already exists",
    indexes=(IndexModel([("organizationId", ASCENDING), ("scheduleId", ASCENDING), *_NEWEST]),),
)


class Schedules(Repository[Schedule]):
    """Those that are over stay, with their status."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def search(
        self,
        organization_id: Id,
        *,
        status: ScheduleStatus | None = None,
        agent_id: str | None = None,
        page: int,
        limit: int,
    ) -> Page[Schedule]:
        """Schedules that match, newest first."""
        return await self.page(organization_id, given(status=status, agentId=agent_id), page=page, limit=limit)

    async def due(self, before: datetime, *, limit: int) -> list[Schedule]:
        """What somebody has to look at before then, the longest waiting first; for the runner, of all organizations."""
        return await self._many({"wakeAt": {"$lt": before}}, sort=BY_WAKE, limit=limit, index=BY_WAKE)

    async def replace(self, seen: Schedule, wanted: Schedule, now: datetime, by: Id | None = None) -> Schedule | None:
        """Write `wanted` if the schedule still is as it was seen; None: somebody has changed it since.

        One of many who saw the same wins. `by`: the user; None: the product itself.
        """
        return await self._changed(*self._replacement(seen, wanted, now, by))

    async def replace_all(self, pairs: Sequence[tuple[Schedule, Schedule]], now: datetime) -> list[Schedule]:
        """The same for many, each by itself: those that were written. For the runner, of all organizations."""
        writes = [UpdateOne(*self._replacement(seen, wanted, now, None)) for seen, wanted in pairs]
        if not writes:
            return []
        await repeatable(lambda: self._rows.bulk_write(writes, ordered=False))
        ours = {
            "_id": {"$in": [seen.id for seen, _ in pairs]},
            "revision": {"$in": [each.revision for _, each in pairs]},
        }
        return await self._many(ours, sort=BY_ID, limit=0)

    def _replacement(self, seen: Schedule, wanted: Schedule, now: datetime, by: Id | None) -> tuple[Where, Where]:
        # Its own revision counts as well: the first of two attempts may have arrived.
        where = {"_id": seen.id, "revision": {"$in": [seen.revision, wanted.revision]}}
        row = wanted.model_copy(update={"updated_at": now, "modified_by": by}).to_mongo()
        return self._of(seen.organization_id, where), {"$set": row}


class Occurrences(Repository[Occurrence]):
    """What became of each time of the schedules; the first word on a time counts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, OCCURRENCES)

    async def of_schedule(self, organization_id: Id, schedule_id: Id, *, page: int, limit: int) -> Page[Occurrence]:
        """The schedule's times that are over, newest first."""
        return await self.page(organization_id, {"scheduleId": schedule_id}, page=page, limit=limit)

    async def insert_all(self, occurrences: Sequence[Occurrence]) -> None:
        """Store those that are new."""
        rows = [occurrence.to_mongo() for occurrence in occurrences]
        if not rows:
            return
        try:
            await repeatable(lambda: self._rows.insert_many(rows, ordered=False))
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE for each in (error.details or {}).get("writeErrors", ())):
                raise

    async def known(self, organization_id: Id, occurrence_id: Id) -> Occurrence | None:
        """What was said of a time, if anything."""
        return await self._one(self._of(organization_id, {"_id": occurrence_id}))
