"""What every repository is made of: one collection, one document type, and tenancy in one place.

The methods that serve a tenant take `organization_id` first and all pass through `_of`; a repository adds methods
beside them only for callers that are no tenant (a carrier's webhook, a call actor, the sweeper).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pymongo import DESCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models.document import Document, Id
from models.errors import Conflict, NotFound
from stores.mongo import Database, repeatable

D = TypeVar("D", bound=Document)
T = TypeVar("T")

Where = Mapping[str, Any]
"""A MongoDB filter, in the stored (camelCase) names."""

NEWEST_FIRST = (("createdAt", DESCENDING), ("_id", DESCENDING))


@dataclass(frozen=True, slots=True)
class Shape(Generic[D]):
    """A repository as data: where its documents are, what they are, and what its errors call them."""

    collection: str
    document: type[D]
    noun: str
    taken: str
    """What to say when a unique index refuses a document."""
    indexes: Sequence[IndexModel] = ()
    unlisted: tuple[str, ...] = ()
    """Fields that pages leave out because they are large."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `total` counts all pages' documents."""

    items: list[T]
    total: int
    page: int
    limit: int


class Repository(Generic[D]):
    """One aggregate's documents."""

    def __init__(self, database: Database, shape: Shape[D]) -> None:
        self._shape = shape
        self._rows = database[shape.collection]

    async def create_indexes(self) -> None:
        """Create what is missing; harmless to repeat, also from several processes at once."""
        if self._shape.indexes:
            await self._rows.create_indexes(list(self._shape.indexes))

    async def insert(self, document: D) -> D:
        """Store a new document; raises Conflict when a unique index has its key already."""
        row = document.to_mongo()
        try:
            await repeatable(lambda: self._rows.insert_one(row))
        except DuplicateKeyError as error:
            # Ids are minted for one document: its own id taken means that the first of two attempts arrived.
            if (error.details or {}).get("keyPattern") != {"_id": 1}:
                raise Conflict(self._shape.taken) from error
        return document

    # --- for a tenant ---------------------------------------------------------------------------------
    async def get(self, organization_id: Id, document_id: str) -> D:
        """The organization's document of this id; raises NotFound, also when another organization has it."""
        return self._found(await self._one(self._of(organization_id, {"_id": document_id})))

    async def page(self, organization_id: Id, where: Where, *, page: int, limit: int) -> Page[D]:
        """The organization's documents that match, newest first; pages count from 1."""
        scope = self._of(organization_id, where)
        hidden = dict.fromkeys(self._shape.unlisted, False) or None
        items = await self._many(scope, hidden, sort=NEWEST_FIRST, skip=(page - 1) * limit, limit=limit)
        total = await repeatable(lambda: self._rows.count_documents(scope))
        return Page(items=items, total=total, page=page, limit=limit)

    async def change(self, organization_id: Id, document_id: str, fields: Where, now: datetime) -> D:
        """Set fields (dotted paths reach inside) and return the new document; raises NotFound."""
        scope = self._of(organization_id, {"_id": document_id})
        return self._found(await self._changed(scope, {"$set": {**fields, "updatedAt": now}}))

    async def delete(self, organization_id: Id, document_id: str) -> None:
        """Remove a document; raises NotFound."""
        scope = self._of(organization_id, {"_id": document_id})
        self._found(await repeatable(lambda: self._rows.find_one_and_delete(scope)))

    # --- inside repositories ----------------------------------------------------------------------------
    @staticmethod
    def _of(organization_id: Id, where: Where) -> dict[str, Any]:
        """The filter within one organization. The id goes in last: nothing in `where` can replace it."""
        return {**where, "organizationId": organization_id}

    async def _one(self, where: Where) -> D | None:
        row = await repeatable(lambda: self._rows.find_one(where))
        return None if row is None else self._shape.document.from_mongo(row)

    async def _many(
        self, where: Where, hidden: Where | None = None, *, sort: Sequence[tuple[str, int]], skip: int = 0, limit: int
    ) -> list[D]:
        async def read() -> list[dict[str, Any]]:
            return await self._rows.find(where, hidden).sort(sort).skip(skip).limit(limit).to_list()

        return [self._shape.document.from_mongo(row) for row in await repeatable(read)]

    async def _changed(self, where: Where, update: Where | Sequence[Where]) -> D | None:
        """One atomic find-and-update that may be repeated; the document after it, or None when nothing matched."""
        try:
            row = await repeatable(
                lambda: self._rows.find_one_and_update(where, update, return_document=ReturnDocument.AFTER)
            )
        except DuplicateKeyError as error:
            raise Conflict(self._shape.taken) from error
        return None if row is None else self._shape.document.from_mongo(row)

    def _found(self, document: T | None) -> T:
        if document is None:
            raise NotFound(f"{self._shape.noun} not found")
        return document
