"""What the database did for a query: the queries a client really sent, and the server's own account of each.

listener = Sent()
async with AsyncMongoClient(url, event_listeners=[listener], ...) as client:
    ...                                        # use stores
    plans = [await explained(database, command) for command in listener.taken()]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bson import CodecOptions, DatetimeConversion
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from stores.mongo import Database

READS = ("find", "aggregate")
OURS = ("filter", "sort", "skip", "limit", "projection", "hint", "pipeline", "cursor")
"""What says the query; the rest belongs to the connection."""
# An open range ends at the last moment the database knows, which Python does not.
_ANY_DATE = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)


class Sent(CommandListener):
    """Collects the queries a client sends."""

    def __init__(self) -> None:
        self._commands: list[dict[str, Any]] = []

    def taken(self) -> list[dict[str, Any]]:
        """The queries since the last time."""
        taken, self._commands = self._commands, []
        return taken

    def started(self, event: CommandStartedEvent) -> None:
        """Kept if it is a query."""
        if event.command_name in READS:
            command = {event.command_name: event.command[event.command_name]}
            self._commands.append(command | {key: event.command[key] for key in OURS if key in event.command})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignored."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignored."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server answered one query."""

    stages: tuple[str, ...]
    index: str
    """The index used; several with `+`, "" for none."""
    keys: int
    documents: int
    returned: int


async def explained(database: Database, command: dict[str, Any]) -> Plan:
    """Run a query again and have the server tell how."""
    explain = {"explain": command, "verbosity": "executionStats"}
    answer: dict[str, Any] = await database.command(explain, codec_options=_ANY_DATE)
    if "stages" in answer:
        answer = answer["stages"][0]["$cursor"]
    stages = list(_stages(answer["queryPlanner"]["winningPlan"]))
    stats = answer["executionStats"]
    return Plan(
        stages=tuple(str(stage["stage"]) for stage in stages),
        index="+".join(dict.fromkeys(str(stage["indexName"]) for stage in stages if "indexName" in stage)),
        keys=int(stats["totalKeysExamined"]),
        documents=int(stats["totalDocsExamined"]),
        returned=int(stats["nReturned"]),
    )


def _stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's stages from the outermost in."""
    yield plan
    inner = [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", [])
    for stage in inner:
        yield from _stages(stage)
