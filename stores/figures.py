"""What calls come to: the pipelines that have the database add them up in one pass, and the figures they give. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from models.call import CallStatus, Direction
from models.document import Id

Stage = Mapping[str, Any]

FINAL = [status for status in CallStatus if status.is_final]
TOP_AGENTS = 5

GROUPED: Stage = {
    "$group": {
        "_id": {"agent": "$agentId", "status": "$status", "direction": "$direction"},
        "calls": {"$sum": 1},
        "seconds": {"$sum": "$durationSec"},
        "cost_micros": {"$sum": "$chargedMicros"},
    }
}
"""The only stage that sees calls; what follows adds up its few rows. A call has seconds and a cost once it is over."""

SUMS: Stage = {
    "calls": {"$sum": "$calls"},
    "over": {"$sum": {"$cond": [{"$in": ["$_id.status", FINAL]}, "$calls", 0]}},
    "completed": {"$sum": {"$cond": [{"$eq": ["$_id.status", CallStatus.COMPLETED]}, "$calls", 0]}},
    "seconds": {"$sum": "$seconds"},
    "cost_micros": {"$sum": "$cost_micros"},
}


def by(part: str | None) -> Sequence[Stage]:
    """The sums for each agent, status or direction; None: of everything."""
    return [{"$group": {"_id": part and f"$_id.{part}", **SUMS}}]


TOTAL: Sequence[Stage] = (GROUPED, *by(None))
OVERVIEW: Sequence[Stage] = (
    GROUPED,
    {
        "$facet": {
            "total": by(None),
            "statuses": by("status"),
            "directions": by("direction"),
            "agents": [*by("agent"), {"$sort": {"calls": -1, "_id": 1}}, {"$limit": TOP_AGENTS}],
        }
    },
)


@dataclass(frozen=True, slots=True)
class Figures:
    """A number of calls: how many there were, are over, and were completed, how long they took and what they cost."""

    calls: int = 0
    over: int = 0
    completed: int = 0
    seconds: int = 0
    cost_micros: int = 0

    @property
    def average_seconds(self) -> int:
        """Of the calls that are over."""
        return round(self.seconds / max(1, self.over))

    @property
    def success_rate(self) -> float:
        """The part of the calls that are over that was completed, 0 to 1."""
        return round(self.completed / max(1, self.over), 4)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Out of `TOTAL`'s rows, of which there is none without calls."""
        return cls(**{name: int(value) for name, value in rows[0].items() if name != "_id"}) if rows else cls()


@dataclass(frozen=True, slots=True)
class Overview:
    """An organization's calls, in all and apart; the agents with most calls first."""

    total: Figures
    by_status: Mapping[CallStatus, int]
    by_direction: Mapping[Direction, int]
    top_agents: Sequence[tuple[Id, Figures]]

    @classmethod
    def of(cls, facets: Mapping[str, Sequence[Mapping[str, Any]]]) -> Self:
        """Out of `OVERVIEW`'s one row. A direction without calls has none; a status without calls is left out."""
        none: dict[Direction, int] = {"inbound": 0, "outbound": 0}
        return cls(
            total=Figures.of(facets["total"]),
            by_status={CallStatus(row["_id"]): int(row["calls"]) for row in facets["statuses"]},
            by_direction=none | {row["_id"]: int(row["calls"]) for row in facets["directions"]},
            top_agents=[(Id(row["_id"]), Figures.of([row])) for row in facets["agents"]],
        )
