"""What the contacts of a campaign come to: how far it is, and what was dialled lately.

All of it reads the whole campaign, some microseconds for each contact, so whoever asks asks seldom.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import timeout

from models.campaign import Outcome
from models.contact import Contact
from models.document import Id, as_utc
from stores.mongo import repeatable
from stores.repository import Repository, Where

STILL_OPEN = "open"
WHOLE_CAMPAIGN_S = 120.0
"""To read or change every contact of a campaign: 100,000 take some seconds."""


@dataclass(frozen=True, slots=True)
class ContactCounts:
    """How many contacts are in which state, ended how, and how many attempts had which outcome, or are `STILL_OPEN`."""

    states: Mapping[str, int]
    finals: Mapping[str, int]
    outcomes: Mapping[str, int]


class ContactFigures(Repository[Contact]):
    """The part of `stores.contacts.Contacts` that counts."""

    async def counts(self, campaign_id: Id) -> ContactCounts:
        """How far the campaign is."""
        key = {"state": "$state", "final": "$final", "outcomes": "$attempts.outcome"}
        alike = {"$group": {"_id": key, "count": {"$sum": 1}}}
        states, finals, outcomes = Counter[str](), Counter[str](), Counter[str]()
        for row in await self._read([{"$match": {"campaignId": campaign_id}}, alike]):
            group, count = row["_id"], row["count"]
            states[group["state"]] += count
            if group["final"] is not None:
                finals[group["final"]] += count
            for outcome in group["outcomes"]:
                outcomes[outcome or STILL_OPEN] += count
        return ContactCounts(states, finals, outcomes)

    async def attempts_since(self, campaign_id: Id, since: datetime) -> list[tuple[datetime, Outcome | None]]:
        """When each attempt since then began, and what it came to; None: nobody knows yet."""
        stages = [*_attempts(campaign_id, since), {"$replaceRoot": {"newRoot": "$attempts"}}]
        rows = await self._read(stages)
        return [(as_utc(row["at"]), Outcome(row["outcome"]) if row["outcome"] else None) for row in rows]

    async def dialled_since(self, campaign_id: Id, since: datetime) -> int:
        """How many attempts began since then, those apart that are known never to have been placed."""
        placed: Where = {"$match": {"attempts.outcome": {"$ne": Outcome.NOT_PLACED}}}
        rows = await self._read([*_attempts(campaign_id, since), placed, {"$count": "count"}])
        return int(rows[0]["count"]) if rows else 0

    async def _read(self, stages: list[Where]) -> list[dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return await (await self._rows.aggregate(stages)).to_list()

        with timeout(WHOLE_CAMPAIGN_S):
            return await repeatable(read)


def _attempts(campaign_id: Id, since: datetime) -> list[Where]:
    """Stages: a document for each attempt since then."""
    within = {"attempts.at": {"$gte": since}}
    return [{"$match": {"campaignId": campaign_id, **within}}, {"$unwind": "$attempts"}, {"$match": within}]
