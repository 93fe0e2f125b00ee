"""The credit ledger. Entries are inserted and never changed; an account's numbers have no gaps.

The two unique indexes are what makes it right: `number` lets only one of two writers that read the same last entry
append, and `key` keeps an occasion from being entered twice. Neither needs a transaction.
"""

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.document import Id
from models.ledger import Entry, EntryKind
from stores.mongo import Database
from stores.repository import Page, Repository, Shape, given

NEWEST_FIRST = (("number", DESCENDING),)
OLDEST_FIRST = (("number", ASCENDING),)

SHAPE = Shape(
    collection="ledger",
    document=Entry,
    noun="Ledger entry",
    taken="The ledger has moved on",
    order=NEWEST_FIRST,
    indexes=(
        IndexModel([("organizationId", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel([("organizationId", ASCENDING), ("key", ASCENDING)], unique=True),
        IndexModel([("organizationId", ASCENDING), ("callId", ASCENDING), ("number", ASCENDING)]),
    ),
)


class Ledger(Repository[Entry]):
    """Accounts are organizations. `insert` raises Conflict when the number or the key is taken: read again."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def last(self, organization_id: Id) -> Entry | None:
        """The account's state: its last entry, or None for an account nothing was ever entered in."""
        newest = await self._many(self._of(organization_id, {}), sort=NEWEST_FIRST, limit=1)
        return newest[0] if newest else None

    async def available(self, organization_id: Id) -> int:
        """What the account can spend, in micro-credits."""
        last = await self.last(organization_id)
        return 0 if last is None else last.available_micros

    async def of_call(self, organization_id: Id, call_id: Id) -> list[Entry]:
        """A call's entries, in order."""
        return await self._many(self._of(organization_id, {"callId": call_id}), sort=OLDEST_FIRST, limit=0)

    async def by_key(self, organization_id: Id, key: str) -> Entry | None:
        """The entry of an occasion."""
        return await self._one(self._of(organization_id, {"key": key}))

    async def search(
        self, organization_id: Id, *, kind: EntryKind | None, call_id: str | None, page: int, limit: int
    ) -> Page[Entry]:
        """Entries that match, newest first."""
        return await self.page(organization_id, given(kind=kind, callId=call_id), page=page, limit=limit)
