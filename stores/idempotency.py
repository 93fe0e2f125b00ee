"""Requests under idempotency keys: who runs one, and what it answered.

Every change is one conditional update of one document, and names the attempt it is of: whoever was taken over from
changes nothing any more.
"""

from datetime import datetime

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models.document import Id
from models.idempotency import IdempotentRequest, KeptAnswer
from stores.mongo import Database, repeatable
from stores.repository import Repository, Shape, Where

SHAPE = Shape(
    collection="idempotent_requests",
    document=IdempotentRequest,
    noun="Request",
    taken="The key is taken",
    indexes=(IndexModel([("createdAt", ASCENDING)]),),
)


class IdempotentRequests(Repository[IdempotentRequest]):
    """One document per organization and key."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def open(self, request: IdempotentRequest) -> IdempotentRequest:
        """What is stored under the key: this request if it is the first, else the one before it."""
        try:
            return await self._opened(request)
        except DuplicateKeyError:
            return await self._opened(request)  # the other of two that came at once has stored it by now

    async def take_over(self, seen: IdempotentRequest, attempt: Id, now: datetime) -> IdempotentRequest | None:
        """Run a request whose attempt died; None when it is not as it was seen, such as taken over by another."""
        where = {"_id": seen.id, "attempt": {"$in": [seen.attempt, attempt]}, "answer": None}
        fields = {"attempt": attempt, "attemptedAt": now, "updatedAt": now}
        return await self._changed(self._of(seen.organization_id, where), {"$set": fields})

    async def keep(self, request: IdempotentRequest, answer: KeptAnswer, now: datetime) -> None:
        """The attempt is finished: this is what everybody is answered."""
        await self._set(request, {"answer": answer.model_dump(by_alias=True), "updatedAt": now})

    async def release(self, request: IdempotentRequest, now: datetime) -> None:
        """The attempt broke off, nobody knows where: the next one may begin at once, and makes what it reserved."""
        await self._set(request, {"attemptedAt": None, "updatedAt": now})

    async def drop(self, request: IdempotentRequest) -> None:
        """The attempt made nothing: the key is free."""
        await repeatable(lambda: self._rows.delete_one(self._mine(request)))

    async def forget(self, before: datetime) -> int:
        """Delete what was asked before then; how many requests. No tenant's query: the sweeper calls it."""
        return (await repeatable(lambda: self._rows.delete_many({"createdAt": {"$lt": before}}))).deleted_count

    async def _opened(self, request: IdempotentRequest) -> IdempotentRequest:
        where = self._of(request.organization_id, {"_id": request.id})
        row = await repeatable(
            lambda: self._rows.find_one_and_update(
                where, {"$setOnInsert": request.to_mongo()}, upsert=True, return_document=ReturnDocument.AFTER
            )
        )
        assert row is not None, "an upsert finds or makes its document"
        return IdempotentRequest.from_mongo(row)

    async def _set(self, request: IdempotentRequest, fields: Where) -> None:
        await repeatable(lambda: self._rows.update_one(self._mine(request), {"$set": fields}))

    def _mine(self, request: IdempotentRequest) -> Where:
        return self._of(request.organization_id, {"_id": request.id, "attempt": request.attempt, "answer": None})
