"""How lists of calls are read: the indexes, and filters in the form that fits them.

An index serves a list in order only when every field before the date is fixed, so a field that is not asked for is
fixed to all its words in turn: 16 ranges at most, merged by date. One index thus serves every combination of filters,
reads as many keys as it gives documents, and counts without documents.
"""

from collections.abc import Iterable
from itertools import product
from typing import get_args

from pymongo import ASCENDING, IndexModel

from models.call import CallStatus, Direction
from stores.mongo import Index
from stores.repository import NEWEST_FIRST, Where

LIVE = tuple(status for status in CallStatus if not status.is_final)

CAMPAIGN = "campaign.campaignId"
DISPOSITION = "disposition.name"

WORDS: dict[str, tuple[str, ...]] = {"status": tuple(CallStatus), "direction": get_args(Direction)}
"""The fields of few words, in the order the indexes have them."""

_OWN = ("organizationId", ASCENDING)
_BY_WORDS = (*((field, ASCENDING) for field in WORDS), *NEWEST_FIRST)
_FIGURES = (("durationSec", ASCENDING), ("chargedMicros", ASCENDING))
"""Written once, together with the last status. With them at the end, figures come out of an index, without calls."""
BY_DATE: Index = (
    _OWN,
    *NEWEST_FIRST,
    ("agentId", ASCENDING),
    *((field, ASCENDING) for field in WORDS),
    *_FIGURES,
)
BY_WORDS: Index = (_OWN, *_BY_WORDS)
BY_AGENT: Index = (_OWN, ("agentId", ASCENDING), *_BY_WORDS, *_FIGURES)
BY_CAMPAIGN: Index = (_OWN, (CAMPAIGN, ASCENDING), *_BY_WORDS, ("agentId", ASCENDING))
BY_DISPOSITION: Index = (
    _OWN,
    (DISPOSITION, ASCENDING),
    *_BY_WORDS,
    ("agentId", ASCENDING),
    (CAMPAIGN, ASCENDING),
)
"""The fields at the end are free, so what is asked of them is read off the index before any document is."""
_FITTING = ((DISPOSITION, BY_DISPOSITION), (CAMPAIGN, BY_CAMPAIGN), ("agentId", BY_AGENT))
"""The index for each field of many values; of several that are asked for, the first counts."""
INDEXES = (
    *(IndexModel(list(keys)) for keys in (BY_DATE, BY_WORDS, BY_AGENT)),
    # Partial: as large as there are such calls. By existence, as with one by type no ranges are merged by date.
    IndexModel(list(BY_CAMPAIGN), partialFilterExpression={CAMPAIGN: {"$exists": True}}),
    IndexModel(list(BY_DISPOSITION), partialFilterExpression={DISPOSITION: {"$exists": True}}),
    # For the sweeper. Not partial: the planner uses an index over some statuses only for exactly those.
    IndexModel([("status", ASCENDING), ("createdAt", ASCENDING)]),
)
RETIRED = (
    "organizationId_1_createdAt_-1__id_-1",
    "organizationId_1_status_1_createdAt_-1",
    "organizationId_1_agentId_1_createdAt_-1",
)
"""Indexes of earlier versions that cost writes and serve nothing these do not."""


def fitted(where: Where) -> tuple[Where, Index]:
    """The same filter, with every field before the date that its index needs, and the index.

    The index is named to the database, which would else try out several, each reading documents on the way to a page.
    """
    fitting = [index for field, index in _FITTING if field in where]
    if not fitting and not where.keys() & WORDS.keys():
        return where, BY_DATE
    words = {field: {"$in": list(words)} for field, words in WORDS.items()}
    return {**words, **where}, next(iter(fitting), BY_WORDS)


def pieces(scope: Where) -> Iterable[Where]:
    """A fitted filter as several that together match the same, each one range of one index: counted 4 times as fast."""
    open_fields = [field for field in WORDS if isinstance(scope.get(field), dict)]
    for words in product(*(scope[field]["$in"] for field in open_fields)):
        yield {**scope, **dict(zip(open_fields, words, strict=True))}
