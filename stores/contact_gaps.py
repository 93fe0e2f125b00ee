"""What contacts lack: the variables that an agent uses and some of its contacts have no value for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import timeout

from models.document import Id
from stores.contact_figures import WHOLE_CAMPAIGN_S
from stores.contacts import SHAPE
from stores.mongo import Database, repeatable
from stores.repository import Where

SHOWN = 3
"""Contacts that are named for a variable."""
EXPLAINED = 10
"""Variables for which some are named."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A variable and how many contacts have no value for it; `lines`: where some of them were in their file."""

    variable: str
    contacts: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many contacts of a campaign are not done, and what some of them lack."""

    contacts: int
    gaps: tuple[Gap, ...]


class ContactGaps:
    """Reads what `Contacts` keeps."""

    def __init__(self, database: Database) -> None:
        self._rows = database[SHAPE.collection]

    async def of_campaign(self, campaign_id: Id, variables: Sequence[str]) -> Completeness:
        """Look at every contact of a campaign that is not done, once; some microseconds for each.

        `variables` are names as templates have them: letters, digits and underscores.
        """
        scope = {"campaignId": campaign_id, "state": {"$in": ["pending", "dialing"]}}
        counted = {f"gap{at}": {"$sum": _one_if_empty(name)} for at, name in enumerate(variables)}
        group = {"$group": {"_id": None, "contacts": {"$sum": 1}, **counted}}

        async def read() -> list[dict[str, Any]]:
            return await (await self._rows.aggregate([{"$match": scope}, group])).to_list()

        with timeout(WHOLE_CAMPAIGN_S):
            found = await repeatable(read)
            counts = found[0] if found else {"contacts": 0}
            lacking = [(name, counts[f"gap{at}"]) for at, name in enumerate(variables) if counts.get(f"gap{at}")]
            lines = {name: await self._lines(scope, name) for name, _ in lacking[:EXPLAINED]}
        gaps = [Gap(name, count, lines.get(name, ())) for name, count in lacking]
        return Completeness(counts["contacts"], tuple(gaps))

    async def _lines(self, scope: Where, variable: str) -> tuple[int, ...]:
        empty = {**scope, f"variables.{variable}": {"$in": [None, ""]}}
        rows = await repeatable(lambda: self._rows.find(empty, {"line": True}).limit(SHOWN).to_list())
        return tuple(sorted(row["line"] for row in rows))


def _one_if_empty(variable: str) -> Where:
    return {"$cond": [{"$in": [{"$ifNull": [f"$variables.{variable}", ""]}, [""]]}, 1, 0]}
