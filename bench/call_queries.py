"""`GET /calls` straight at the store: each query's time, and the index, keys and documents behind page and total."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from pymongo import AsyncMongoClient

from bench import call_logs
from bench.explain import Plan, Sent, explained
from bench.timing import repeated, timed
from models.settings import Settings
from serve_app.resources.lists import before, since
from stores.calls import Calls
from stores.mongo import database

LIMIT = 20
WITHIN_S = 8.0
BIG = call_logs.organization(0)
BUSY_AGENT = call_logs.agent(0, 0).id
AGENT = call_logs.agent(0, 5).id


def _day(ago: int) -> str:
    return (call_logs.UNTIL - timedelta(days=ago)).date().isoformat()


QUERIES: dict[str, dict[str, str]] = {
    "everything": {},
    "status": {"status": "completed"},
    "rare status": {"status": "canceled"},
    "direction": {"direction": "outbound"},
    "agent": {"agentId": AGENT},
    "busy agent": {"agentId": BUSY_AGENT},
    "one week": {"fromDate": _day(37), "toDate": _day(30)},
    "last half year": {"fromDate": _day(182)},
    "status, direction, from": {"status": "completed", "direction": "outbound", "fromDate": _day(365)},
    "agent, status, month": {"agentId": AGENT, "status": "completed", "fromDate": _day(90), "toDate": _day(60)},
    "page 500": {"page": "500"},
    "direction, page 500": {"direction": "outbound", "page": "500"},
    "nothing found": {"agentId": "0" * 24},
}
"""As a client sends them; `page` and `limit` are 1 and 20 where not said."""


def arguments(query: Mapping[str, str]) -> dict[str, Any]:
    """A query as the store takes it."""
    return {
        "status": query.get("status"),
        "direction": query.get("direction"),
        "agent_id": query.get("agentId"),
        "since": since(query.get("fromDate")),
        "before": before(query.get("toDate")),
        "page": int(query.get("page", "1")),
        "limit": LIMIT,
    }


async def measure(settings: Settings, times: int) -> None:
    """Print a line per query; the first time has its own column, because a total is counted then and known later."""
    sent = Sent()
    client = AsyncMongoClient[dict[str, Any]](settings.mongodb_url, tz_aware=True, event_listeners=[sent])
    print("store:                        first                                        page: index, keys/documents")
    async with client:
        rows = database(client, settings)
        for name, query in QUERIES.items():
            search = partial(Calls(rows).search, BIG, **arguments(query))
            first_ms = await timed(search)
            plans = [await explained(rows, command) for command in sent.taken()]
            then = await repeated(search, times, within_s=WITHIN_S)
            sent.taken()
            print(f"  {name:24} {first_ms:7.1f} ms, then {then}  {_told(plans)}", flush=True)


def _told(plans: list[Plan]) -> str:
    page, counts = plans[0], plans[1:]
    counted = sum(plan.keys for plan in counts), sum(plan.documents for plan in counts)
    total = f"total {counted[0]}/{counted[1]}" if counts else "total from the page"
    return f"{_short(page.index)} {page.keys}/{page.documents}, {total}"


def _short(index: str) -> str:
    """An index's name without what every one begins and ends with."""
    return index.replace("organizationId_1_", "").replace("_createdAt_-1__id_-1", "").replace("_1", "")
