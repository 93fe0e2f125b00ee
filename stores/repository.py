"""What every repository is made of: one collection, one document type, and tenancy in one place.

The methods that serve a tenant take `organization_id` first and all pass through `_of`; a repository adds methods
beside them only for callers that are no tenant (a carrier's webhook, a call actor, the sweeper). Deleting keeps the
document; no query finds it any more, because every query passes through `_present`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pymongo import DESCENDING, IndexModel, ReturnDocument, timeout
from pymongo.errors import DuplicateKeyError, OperationFailure

from models.document import Document, Id
from models.errors import Conflict, InvalidTransition, NotFound
from stores.mongo import Database, Index, hinted, repeatable

D = TypeVar("D", bound=Document)
T = TypeVar("T")

Where = Mapping[str, Any]
"""A MongoDB filter, in the stored (camelCase) names."""

NEWEST_FIRST = (("createdAt", DESCENDING), ("_id", DESCENDING))

PRESENT: Where = {"isDeleted": False}
"""What a document is until it is deleted; also the filter of unique indexes whose keys a deleted document sets free."""

INDEXES_S = 3600.0
"""A new index over a log that is there already takes 10 s per million calls."""

_INDEX_NOT_FOUND = 27


def given(**fields: object) -> dict[str, Any]:
    """A filter of those fields that are asked for; None: not."""
    return {field: value for field, value in fields.items() if value is not None}


def made(since: datetime | None, before: datetime | None) -> Where | None:
    """What `createdAt` must be to lie in [since, before); None: anything."""
    return {op: at for op, at in (("$gte", since), ("$lt", before)) if at is not None} or None


@dataclass(frozen=True, slots=True)
class Shape(Generic[D]):
    """A repository as data: where its documents are, what they are, and what its errors call them."""

    collection: str
    document: type[D]
    noun: str
    taken: str
    """What to say when a unique index refuses a document."""
    indexes: Sequence[IndexModel] = ()
    order: Index = NEWEST_FIRST
    """Of pages."""
    unlisted: tuple[str, ...] = ()
    """Fields that pages leave out because they are large."""
    deletable: bool = False
    """Documents can be deleted. Those of other collections never are, and their queries need not look."""
    retired_indexes: tuple[str, ...] = ()
    """Names of indexes that earlier versions made and that would now be wrong."""
    own: tuple[str, ...] = ()
    """Fields no later write changes, which tell a document from another that was given the same id in advance. None:
    whoever has its id is the same one."""


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
        if self._shape.deletable:
            unmarked = {"isDeleted": {"$exists": False}}
            await repeatable(lambda: self._rows.update_many(unmarked, {"$set": PRESENT}))
        if self._shape.indexes:
            with timeout(INDEXES_S):
                await self._rows.create_indexes(list(self._shape.indexes))
        for name in self._shape.retired_indexes:
            await self._drop_index(name)

    async def insert(self, document: D) -> D:
        """Store a new document; raises Conflict when a unique index has its key, or another document its id.

        Once more after a connection that broke changes nothing.
        """
        row = document.to_mongo()
        try:
            await repeatable(lambda: self._rows.insert_one(row))
        except DuplicateKeyError as error:
            if (error.details or {}).get("keyPattern") != {"_id": 1} or not await self._is_there(row):
                raise Conflict(self._shape.taken) from error
        return document

    # --- for a tenant ---------------------------------------------------------------------------------
    async def get(self, organization_id: Id, document_id: str) -> D:
        """The organization's document of this id; raises NotFound, also when another organization has it."""
        return self._found(await self._one(self._of(organization_id, {"_id": document_id})))

    async def page(
        self, organization_id: Id, where: Where, *, page: int, limit: int, index: Index | None = None
    ) -> Page[D]:
        """The organization's documents that match, in their shape's order; pages count from 1. `index` serves them."""
        scope = self._of(organization_id, where)
        hidden = dict.fromkeys(self._shape.unlisted, False) or None
        skip, order = (page - 1) * limit, self._shape.order
        items = await self._many(scope, hidden, sort=order, skip=skip, limit=limit, index=index)
        # A page that is not full is the last one, and then it knows.
        is_last = len(items) < limit and (items or page == 1)
        total = skip + len(items) if is_last else await self._total(scope, index)
        return Page(items=items, total=total, page=page, limit=limit)

    async def change(
        self, organization_id: Id, document_id: str, fields: Where, now: datetime, by: Id | None = None
    ) -> D:
        """Set fields (dotted paths reach inside) and return the new document; raises NotFound. `by`: the user."""
        scope = self._of(organization_id, {"_id": document_id})
        return self._found(await self._changed(scope, {"$set": {**fields, "updatedAt": now, "modifiedBy": by}}))

    async def delete(self, organization_id: Id, document_id: str, now: datetime, by: Id | None = None) -> None:
        """Hide a document from every query, once; raises NotFound, also the second time. `by`: the user."""
        if not self._shape.deletable:
            raise InvalidTransition(f"{self._shape.noun}: never deleted")
        scope = self._of(organization_id, {"_id": document_id})
        mark = {"isDeleted": True, "updatedAt": now, "modifiedBy": by}
        # The second attempt, after a connection that broke, may find the work of the first.
        wheres = iter((scope, {**scope, "isDeleted": {"$exists": True}, "$or": [PRESENT, mark]}))
        row = await repeatable(lambda: self._rows.find_one_and_update(next(wheres), {"$set": mark}))
        self._found(row)

    # --- inside repositories ----------------------------------------------------------------------------
    def _of(self, organization_id: Id, where: Where) -> dict[str, Any]:
        """The filter within one organization. The id goes in last: nothing in `where` can replace it."""
        return {**self._present(where), "organizationId": organization_id}

    def _present(self, where: Where) -> dict[str, Any]:
        """The filter among what is not deleted; the methods below apply it themselves."""
        return {**where, **PRESENT} if self._shape.deletable else dict(where)

    async def _total(self, scope: Where, index: Index | None) -> int:
        """How many documents a tenant's filter matches, all pages together."""
        return await repeatable(lambda: self._rows.count_documents(scope))

    async def _one(self, where: Where) -> D | None:
        row = await repeatable(lambda: self._rows.find_one(self._present(where)))
        return None if row is None else self._shape.document.from_mongo(row)

    async def _many(
        self,
        where: Where,
        hidden: Where | None = None,
        *,
        sort: Index,
        skip: int = 0,
        limit: int,
        index: Index | None = None,
    ) -> list[D]:
        async def read(hint: Index | None) -> list[dict[str, Any]]:
            found = self._rows.find(self._present(where), hidden)
            return await found.sort(sort).skip(skip).limit(limit).hint(hint and list(hint)).to_list()

        return [self._shape.document.from_mongo(row) for row in await hinted(index, read)]

    async def _changed(self, where: Where, update: Where | Sequence[Where]) -> D | None:
        """One atomic find-and-update that may be repeated; the document after it, or None when nothing matched."""
        try:
            row = await repeatable(
                lambda: self._rows.find_one_and_update(
                    self._present(where), update, return_document=ReturnDocument.AFTER
                )
            )
        except DuplicateKeyError as error:
            raise Conflict(self._shape.taken) from error
        return None if row is None else self._shape.document.from_mongo(row)

    async def _is_there(self, row: Where) -> bool:
        """Whether what has the row's id is the row: then the first of two attempts has arrived."""
        if not self._shape.own:
            return True
        same = {field: row[field] for field in ("_id", *self._shape.own)}
        return await repeatable(lambda: self._rows.find_one(same, {"_id": True})) is not None

    def _found(self, document: T | None) -> T:
        if document is None:
            raise NotFound(f"{self._shape.noun} not found")
        return document

    async def _drop_index(self, name: str) -> None:
        try:
            await self._rows.drop_index(name)
        except OperationFailure as error:
            if error.code != _INDEX_NOT_FOUND:
                raise
