"""The queries that run all the time, whether there is anything to do or not, read only what there is to do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from models.document import Id, new_id
from models.settings import Settings
from models.webhook import Delivery
from stores.mongo import Database, connect
from stores.repositories import Repositories
from stores.webhook_deliveries import BY_TURN
from tests.documents import NOW, a_call

pytestmark = pytest.mark.integration

FINISHED = 30


@pytest.fixture
async def rows(settings: Settings) -> AsyncIterator[Database]:
    """A database with a log of finished deliveries and calls of which all is told."""
    async with connect(settings) as client:
        rows = client[f"{settings.mongodb_database}_deliveries"]
        stores = Repositories.over(rows)
        for name in ("calls", "webhookDeliveries"):
            await rows[name].delete_many({})
        await stores.calls.create_indexes()
        await stores.webhook_deliveries.create_indexes()
        await stores.webhook_deliveries.add([a_delivery(status="delivered") for _ in range(FINISHED)])
        for _ in range(FINISHED):
            await stores.calls.insert(a_call(new_id(), untold=False))
        yield rows


def a_delivery(endpoint_id: Id | None = None, **fields: Any) -> Delivery:
    """A delivery that is due."""
    own: dict[str, Any] = {
        "created_at": NOW,
        "updated_at": NOW,
        "organization_id": new_id(),
        "endpoint_id": endpoint_id or new_id(),
        "event_id": "call.initiated",
        "event": "call.initiated",
        "subject_id": new_id(),
        "sequence": 0,
        "body": "{}",
        "next_at": NOW,
    }
    return Delivery(id=new_id(), **(own | fields))


async def read(found: Any) -> tuple[str, int]:
    """The index a query takes, and how many documents it reads."""
    plan = await found.explain()
    stage = plan["queryPlanner"]["winningPlan"]
    while "indexName" not in stage:
        stage = stage["inputStage"]
    return stage["indexName"], plan["executionStats"]["totalDocsExamined"]


async def test_what_is_due_is_found_without_reading_what_is_done(rows: Database) -> None:
    await Repositories.over(rows).webhook_deliveries.add([a_delivery()])
    due = rows["webhookDeliveries"].find({"status": "pending", "nextAt": {"$lte": NOW}}).sort(BY_TURN)
    assert await read(due) == ("nextAt_1_sequence_1", 1)


async def test_what_is_ahead_is_found_without_reading_what_is_done(rows: Database) -> None:
    first = a_delivery()
    second = a_delivery(first.endpoint_id, subject_id=first.subject_id, sequence=3)
    store = Repositories.over(rows).webhook_deliveries
    await store.add([first, second])
    assert (await store.ahead_of(second), await store.ahead_of(first)) == (first, None)
    ahead = {"endpointId": first.endpoint_id, "subjectId": first.subject_id, "sequence": {"$lt": 3}}
    found = rows["webhookDeliveries"].find({"status": "pending", **ahead}).sort("sequence", 1)
    assert await read(found) == ("endpointId_1_subjectId_1_sequence_1", 1)


async def test_calls_with_something_to_tell_are_found_without_reading_the_others(rows: Database) -> None:
    await Repositories.over(rows).calls.insert(a_call(new_id()))
    assert await read(rows["calls"].find({"untold": True}).sort("createdAt", 1)) == ("createdAt_1", 1)


async def test_a_delivery_is_stored_once_and_never_overwritten(rows: Database) -> None:
    store, first = Repositories.over(rows).webhook_deliveries, a_delivery()
    await store.add([first])
    claimed = await store.claim(NOW, timedelta(seconds=30))
    assert claimed is not None
    await store.finish(claimed, "delivered", NOW)
    await store.add([first])
    assert (await store.get(first.organization_id, first.id)).status == "delivered"
    assert await store.waiting() == 0
    assert await store.claim(NOW + timedelta(days=1), timedelta(seconds=30)) is None


async def test_claims_go_by_time_and_then_by_order_and_pass_over_busy_endpoints(rows: Database) -> None:
    store, busy = Repositories.over(rows).webhook_deliveries, new_id()
    later, second = a_delivery(next_at=NOW + timedelta(seconds=1)), a_delivery(sequence=2)
    first, passed = a_delivery(sequence=1), a_delivery(busy)
    await store.add([later, second, first, passed])
    at = NOW + timedelta(seconds=1)
    claims = [await store.claim(at, timedelta(seconds=30), unless=[busy]) for _ in range(4)]
    assert [claim and claim.id for claim in claims] == [first.id, second.id, later.id, None]
