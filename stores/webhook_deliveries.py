"""Deliveries of webhooks: one document per event and endpoint, which whoever sends it claims.

A claim puts `nextAt` off for as long as sending takes at most; a claimant that dies leaves it to the next. Results
carry the number of their claim, so one that comes after somebody else's claim changes nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from models.document import Id
from models.webhook import Attempt, Delivery, DeliveryStatus
from stores.mongo import Database, repeatable
from stores.repository import Page, Repository, Shape, Where, given

PENDING = {"status": "pending"}
BY_TURN = [("nextAt", ASCENDING), ("sequence", ASCENDING)]
SHAPE = Shape(
    collection="webhookDeliveries",
    document=Delivery,
    noun="Webhook delivery",
    taken="Webhook delivery already exists",
    indexes=(
        IndexModel(BY_TURN, partialFilterExpression=PENDING),
        IndexModel(
            [("endpointId", ASCENDING), ("subjectId", ASCENDING), ("sequence", ASCENDING)],
            partialFilterExpression=PENDING,
        ),
        IndexModel(
            [
                ("organizationId", ASCENDING),
                ("endpointId", ASCENDING),
                ("createdAt", DESCENDING),
                ("_id", DESCENDING),
            ]
        ),
        IndexModel([("createdAt", ASCENDING)]),
    ),
)

KEPT_ATTEMPTS = 20
QUEUE_COUNTED = 100_000


class WebhookDeliveries(Repository[Delivery]):
    """The methods without an organization are for those who deliver."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    # --- for a tenant ---------------------------------------------------------------------------------
    async def log(
        self,
        organization_id: Id,
        endpoint_id: Id,
        *,
        status: DeliveryStatus | None,
        event: str | None,
        page: int,
        limit: int,
    ) -> Page[Delivery]:
        """An endpoint's deliveries that match, newest first."""
        where = given(endpointId=endpoint_id, status=status, event=event)
        return await self.page(organization_id, where, page=page, limit=limit)

    async def replay(self, organization_id: Id, endpoint_id: Id, delivery_id: str, now: datetime) -> Delivery | None:
        """Have a finished delivery made once more; None when it is under way. Raises NotFound."""
        found = await self.get(organization_id, delivery_id)
        scope = self._of(organization_id, {"_id": found.id, "endpointId": endpoint_id})
        self._found(await self._one(scope))
        return await self._changed({**scope, "status": {"$ne": "pending"}}, {"$set": _afresh(now)})

    async def replay_dead(self, organization_id: Id, endpoint_id: Id, now: datetime) -> int:
        """Have every dead delivery of an endpoint made once more; how many there are."""
        scope = self._of(organization_id, {"endpointId": endpoint_id, "status": "dead"})
        return (await repeatable(lambda: self._rows.update_many(scope, {"$set": _afresh(now)}))).modified_count

    # --- for those who deliver --------------------------------------------------------------------------
    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """Store those that are not there yet, in this order."""
        for delivery in deliveries:
            await self._add(delivery.to_mongo())

    async def claim(self, now: datetime, lease: timedelta, unless: Collection[Id] = ()) -> Delivery | None:
        """Take the pending delivery that is due the longest, of no endpoint in `unless`; None: there is none."""
        where: dict[str, Any] = {**PENDING, "nextAt": {"$lte": now}}
        if unless:
            where["endpointId"] = {"$nin": list(unless)}
        return await self._earliest(where, {"$set": {"nextAt": now + lease, "isBlocked": False}, "$inc": {"claims": 1}})

    async def ahead_of(self, delivery: Delivery) -> Delivery | None:
        """The pending delivery that has to be finished before this one, if any."""
        same = {"endpointId": delivery.endpoint_id, "subjectId": delivery.subject_id}
        where = {**PENDING, **same, "sequence": {"$lt": delivery.sequence}}
        found = await self._many(where, sort=(("sequence", ASCENDING),), limit=1)
        return next(iter(found), None)

    async def put_off(self, delivery: Delivery, until: datetime) -> None:
        """Give a claimed delivery back untried, until then or until what is ahead of it is finished."""
        fields = {"nextAt": until, "isBlocked": True}
        await repeatable(lambda: self._rows.update_one(_claimed(delivery), {"$set": fields}))

    async def retry(self, delivery: Delivery, attempt: Attempt, headers: dict[str, str], until: datetime) -> None:
        """Note an attempt of a claimed delivery that is to be followed by another."""
        fields = {"nextAt": until, "tries": delivery.tries + 1, "requestHeaders": headers}
        await self._note(delivery, fields, attempt)

    async def finish(
        self,
        delivery: Delivery,
        status: DeliveryStatus,
        now: datetime,
        *,
        attempt: Attempt | None = None,
        headers: dict[str, str] | None = None,
        error: str | None = None,
    ) -> None:
        """Close a claimed delivery, and have the next of its subject looked at now."""
        fields: dict[str, Any] = {"status": status, "finishedAt": now, "error": error}
        if attempt is not None:
            fields |= {"tries": delivery.tries + 1, "requestHeaders": headers or {}}
        await self._note(delivery, fields, attempt)
        same = {"endpointId": delivery.endpoint_id, "subjectId": delivery.subject_id}
        after = {**PENDING, **same, "sequence": {"$gt": delivery.sequence}, "isBlocked": True}
        freed = {"$set": {"nextAt": now, "isBlocked": False}}
        await repeatable(lambda: self._rows.update_many(after, freed))

    async def waiting(self) -> int:
        """How many are pending, counted up to a bound."""
        return await repeatable(lambda: self._rows.count_documents(PENDING, limit=QUEUE_COUNTED))

    async def forget(self, before: datetime) -> None:
        """Delete what is finished and was made before then."""
        where = {"createdAt": {"$lt": before}, "status": {"$ne": "pending"}}
        await repeatable(lambda: self._rows.delete_many(where))

    # --- inside -----------------------------------------------------------------------------------------
    async def _earliest(self, where: Where, update: Where) -> Delivery | None:
        row = await repeatable(
            lambda: self._rows.find_one_and_update(where, update, sort=BY_TURN, return_document=ReturnDocument.AFTER)
        )
        return None if row is None else Delivery.from_mongo(row)

    async def _add(self, row: dict[str, Any]) -> None:
        fresh = {key: value for key, value in row.items() if key != "_id"}
        await repeatable(lambda: self._rows.update_one({"_id": row["_id"]}, {"$setOnInsert": fresh}, upsert=True))

    async def _note(self, delivery: Delivery, fields: dict[str, Any], attempt: Attempt | None) -> None:
        update: dict[str, Any] = {"$set": fields}
        if attempt is not None:
            update["$push"] = {
                "attempts": {"$each": [attempt.model_dump(by_alias=True)], "$slice": -KEPT_ATTEMPTS},
            }
        await repeatable(lambda: self._rows.update_one(_claimed(delivery), update))


def _claimed(delivery: Delivery) -> dict[str, Any]:
    """The delivery, as long as nobody has claimed it since."""
    return {**PENDING, "_id": delivery.id, "claims": delivery.claims}


def _afresh(now: datetime) -> dict[str, Any]:
    """Pending as on its first day; its attempts stay in the log."""
    return {**PENDING, "nextAt": now, "isBlocked": False, "tries": 0, "error": None, "finishedAt": None}
