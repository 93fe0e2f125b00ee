"""How many calls match a filter, exactly and soon.

Counting takes as long as there is to count: about 0.5 µs a call where the filter is one range of an index. But what is
over stays as it is: a call in a final status never changes again in what filters ask for, and no call is ever deleted.
So the count of an organization's settled past is remembered, and only what came after it is counted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import encode
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from models.document import as_utc
from stores.mongo import Index, hinted, repeatable
from stores.repository import Where

MANY = 2_000
"""Counts below are made anew each time; they take some milliseconds."""
WORTH_LEARNING = 0.1
"""When the recent calls are so many for each past one, the boundary moves."""
REMEMBERED = 1_000
"""Filters per process."""
MARGIN = timedelta(minutes=10)
"""A call is stored a moment after the time it bears, by machines whose clocks differ."""

NEVER = datetime(1970, 1, 2, tzinfo=UTC)

Pieces = Callable[[Where], Iterable[Where]]
"""Divides a filter into others, each one range of an index, that together match the same."""


@dataclass(frozen=True, slots=True)
class Past:
    """Of one filter: so many calls before that moment, for good."""

    calls: int
    until: datetime


class Totals:
    """One object per process. `live` is the filter of calls that are not over."""

    def __init__(self, rows: AsyncCollection[dict[str, Any]], *, live: Where, pieces: Pieces) -> None:
        self._rows = rows
        self._live = live
        self._pieces = pieces
        self._known: dict[bytes, Past] = {}

    async def of(self, scope: Where, index: Index | None) -> int:
        """How many calls the filter matches; it names one organization. `index`: the one that serves it."""
        key = encode(scope)
        past = self._known.get(key)
        if past is None:
            few = await self._count(scope, index, limit=MANY)
            if few < MANY:
                return few
            past = await self._learn(key, scope, index)
        recent = await self._count(_during(scope, "$gte", past.until), index)
        if recent >= max(MANY, WORTH_LEARNING * past.calls):
            self._known.pop(key, None)  # the next request draws the line anew
        return past.calls + recent

    async def afresh(self, scope: Where, index: Index | None) -> int:
        """The same where the filter asks for something that may change after a call's end."""
        return await self._count(scope, index)

    async def _learn(self, key: bytes, scope: Where, index: Index | None) -> Past:
        until = await self._settled_until(scope["organizationId"])
        counted = [await self._count(_during(piece, "$lt", until), index) for piece in self._pieces(scope)]
        past = Past(sum(counted), until)
        if len(self._known) >= REMEMBERED:
            self._known.pop(next(iter(self._known)))
        self._known[key] = past
        return past

    async def _settled_until(self, organization_id: str) -> datetime:
        """All the organization's calls before this are over, and no other will come."""
        everything = {"organizationId": organization_id}
        newest = await self._made(everything, DESCENDING)
        unsettled = await self._made({**everything, **self._live}, ASCENDING)
        settled = (newest or NEVER) - MARGIN
        return settled if unsettled is None else min(settled, unsettled)

    async def _count(self, scope: Where, index: Index | None, **limit: int) -> int:
        async def count(hint: Index | None) -> int:
            options: dict[str, Any] = {"hint": list(hint), **limit} if hint else {**limit}
            return await self._rows.count_documents(scope, **options)

        return await hinted(index, count)

    async def _made(self, scope: Where, order: int) -> datetime | None:
        """When the first call in this order was made."""
        first = [("createdAt", order)]
        row = await repeatable(lambda: self._rows.find_one(scope, {"_id": False, "createdAt": True}, sort=first))
        return None if row is None else as_utc(row["createdAt"])


def _during(scope: Where, bound: str, moment: datetime) -> Where:
    return {"$and": [scope, {"createdAt": {bound: moment}}]}
