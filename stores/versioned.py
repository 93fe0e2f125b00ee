"""Things with versions: heads, which change, and versions, which do not. One store for every kind of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.document import Id
from models.errors import Conflict
from models.versioned import B, Head, Version
from stores.mongo import Database
from stores.repository import Page, Repository, Shape

ATTEMPTS = 8
"""How many others may add a version to the same thing in the same moment before one of them is told to try again."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[B]):
    """A version, and the thing it is one of."""

    head: Head
    version: Version[B]

    @property
    def is_active(self) -> bool:
        """Whether the thing is, at the moment, what this version says."""
        return self.head.active_id == self.version.id


class VersionedStore(Generic[B]):
    """All things of one kind. An id may be a thing's or a version's wherever one is asked for.

    A version is stored before its head tells of it: what a head names is always there, and what an interrupted write
    leaves behind is a version that was never active.
    """

    def __init__(self, database: Database, body: type[B], *, collection: str, noun: str) -> None:
        self._noun = noun
        self.document: type[Version[B]] = Version[body]  # type: ignore[valid-type]
        self._heads = _Heads(
            database,
            Shape(
                collection=collection,
                document=Head,
                noun=noun,
                taken=f"{noun} already exists",
                indexes=(IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING)]),),
                deletable=True,
            ),
        )
        self._versions = StoredVersions(database, self.document, collection=f"{collection}Versions", noun=noun)

    async def create_indexes(self) -> None:
        """As `Repository.create_indexes`."""
        await self._heads.create_indexes()
        await self._versions.create_indexes()

    # --- reading --------------------------------------------------------------------------------------
    async def find(self, organization_id: Id, any_id: str) -> Entry[B]:
        """The thing's active version, or exactly the version of this id; raises NotFound, also for deleted ones."""
        head = await self._heads.of(organization_id, any_id)
        if head is not None:
            return Entry(head, await self._versions.get(organization_id, head.active_id))
        version = await self._versions.get(organization_id, any_id)
        return Entry(await self._heads.get(organization_id, version.root_id), version)

    async def newest(self, organization_id: Id, any_id: str) -> Entry[B]:
        """The thing's version of the highest number, whichever of its ids is given; raises NotFound."""
        head = (await self.find(organization_id, any_id)).head
        return Entry(head, await self._versions.last(organization_id, head.id))

    async def search(self, organization_id: Id, text: str | None, *, page: int, limit: int) -> Page[Entry[B]]:
        """Active versions of things whose name contains `text` in any case, the newest thing first."""
        heads = await self._heads.search(organization_id, text, page=page, limit=limit)
        versions = await self._versions.by_id(organization_id, [head.active_id for head in heads.items])
        return Page([Entry(head, versions[head.active_id]) for head in heads.items], heads.total, page, limit)

    async def history(self, organization_id: Id, any_id: str, *, page: int, limit: int) -> Page[Entry[B]]:
        """All versions of a thing, the newest first; raises NotFound."""
        head = (await self.find(organization_id, any_id)).head
        found = await self._versions.page(organization_id, {"rootId": head.id}, page=page, limit=limit)
        return Page([Entry(head, version) for version in found.items], found.total, page, limit)

    async def ids(self, head: Head) -> set[Id]:
        """By all the names the thing can be called: its own id and those of its versions."""
        return {head.id, *await self._versions.ids(head.organization_id, head.id)}

    async def missing(self, organization_id: Id, ids: Iterable[Id]) -> set[Id]:
        """Which of these things the organization never had."""
        wanted = list(ids)
        return set(wanted) - await self._heads.known(organization_id, wanted)

    # --- changing -------------------------------------------------------------------------------------
    async def insert(self, entry: Entry[B]) -> None:
        """A new thing with its first version."""
        await self._versions.insert(entry.version)
        await self._heads.insert(entry.head)

    async def add(self, head: Head, version: Version[B], *, activate: bool) -> Entry[B]:
        """A new version; its number is the next free one. Of two made active at once, the higher number is.

        Raises Conflict when too many others add versions at the same time, and NotFound when the thing is gone.
        """
        for _ in range(ATTEMPTS):
            last = await self._versions.last(head.organization_id, head.id)
            numbered = version.model_copy(update={"version": last.version + 1})
            try:
                await self._versions.insert(numbered)
            except Conflict:
                continue
            return Entry(await self._heads.advance(numbered, activate=activate), numbered)
        raise Conflict(f"{self._noun} was changed at the same time, please try again")

    async def activate(self, entry: Entry[B], now: datetime, by: Id) -> Entry[B]:
        """Have the thing say what this version says; raises NotFound when it is gone."""
        fields = {"activeId": entry.version.id, "name": entry.version.name}
        head = await self._heads.change(entry.head.organization_id, entry.head.id, fields, now, by)
        return Entry(head, entry.version)

    async def delete(self, head: Head, now: datetime, by: Id) -> None:
        """Hide a thing and all its versions; raises NotFound."""
        await self._heads.delete(head.organization_id, head.id, now, by)


class _Heads(Repository[Head]):
    async def of(self, organization_id: Id, root_id: str) -> Head | None:
        """The thing of this id, if it is one's."""
        return await self._one(self._of(organization_id, {"_id": root_id}))

    async def search(self, organization_id: Id, text: str | None, *, page: int, limit: int) -> Page[Head]:
        """Things whose name contains `text` in any case, newest first."""
        # A NUL cannot be in a stored pattern; without it the text matches what a person would expect.
        pattern = re.escape((text or "").replace("\0", ""))
        where = {"name": {"$regex": pattern, "$options": "i"}} if pattern else {}
        return await self.page(organization_id, where, page=page, limit=limit)

    async def known(self, organization_id: Id, ids: list[Id]) -> set[Id]:
        """Those of the ids that are things of the organization, deleted or not."""
        scope = {"_id": {"$in": ids}, "organizationId": organization_id}
        return {Id(row["_id"]) async for row in self._rows.find(scope, {"_id": True})}

    async def advance(self, version: Version[B], *, activate: bool) -> Head:
        """Tell of a new version; one that a higher number has overtaken becomes active no more. Raises NotFound."""
        told = {"latest": version.version, "updatedAt": version.created_at, "modifiedBy": version.created_by}
        active = {"activeId": version.id, "name": version.name} if activate else {}
        where = {"_id": version.root_id, "latest": {"$lt": version.version}}
        head = await self._changed(self._of(version.organization_id, where), {"$set": {**told, **active}})
        return head or await self.get(version.organization_id, version.root_id)


class StoredVersions(Repository[Version[B]], Generic[B]):
    """Versions of all things of one kind; no two of a thing have the same number."""

    def __init__(self, database: Database, document: type[Version[B]], *, collection: str, noun: str) -> None:
        super().__init__(
            database,
            Shape(
                collection=collection,
                document=document,
                noun=noun,
                taken=f"{noun} was changed at the same time",
                indexes=(IndexModel([("rootId", ASCENDING), ("version", ASCENDING)], unique=True),),
                order=(("version", DESCENDING),),
            ),
        )

    async def last(self, organization_id: Id, root_id: Id) -> Version[B]:
        """The version of the highest number; raises NotFound."""
        found = await self._many(
            self._of(organization_id, {"rootId": root_id}), sort=(("version", DESCENDING),), limit=1
        )
        return self._found(found[0] if found else None)

    async def by_id(self, organization_id: Id, ids: list[Id]) -> dict[Id, Version[B]]:
        """Versions by their ids."""
        scope = self._of(organization_id, {"_id": {"$in": ids}})
        found = await self._many(scope, sort=(("_id", ASCENDING),), limit=len(ids)) if ids else []
        return {version.id: version for version in found}

    async def ids(self, organization_id: Id, root_id: Id) -> set[Id]:
        """The ids of all versions of a thing."""
        scope = self._of(organization_id, {"rootId": root_id})
        return {Id(row["_id"]) async for row in self._rows.find(scope, {"_id": True})}
