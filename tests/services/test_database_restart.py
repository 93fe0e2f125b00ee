"""A call is logged through restarts of the database: nothing is lost, doubled or reported as an error."""

import os
import signal
from pathlib import Path

import pytest

from cli.background import background
from cli.embedded.mongodb import mongodb_child, mongodb_url as embedded_url
from models.call import CallStatus, CostBreakdown, Usage
from models.document import new_id
from models.settings import Settings
from services.call_log import CallLog
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW, a_call, a_turn
from tests.money import STEP, a_writer, fund, state

pytestmark = pytest.mark.integration

TURNS = 60


async def test_a_call_outlives_a_killed_database(tmp_path: Path, redis_url: str) -> None:
    settings = Settings(_env_file=None, mongodb_url=embedded_url(tmp_path), redis_url=redis_url)
    events = Events(redis_url)
    with background(tmp_path / "logs") as running:
        running.start(mongodb_child(tmp_path))
        async with connect(settings) as client:
            stores = Repositories.over(database(client, settings))
            await stores.create_indexes()
            credit = a_writer(stores)
            log = CallLog(stores.calls, credit, events)
            call = a_call(new_id())
            await fund(stores, call.organization_id, 2 * STEP)
            await credit.hold(call.organization_id, call.id, NOW)
            await stores.calls.insert(call)
            for index in range(TURNS):
                if index % 25 == 10:
                    os.kill(running.pid("mongodb") or 0, signal.SIGKILL)
                cost = CostBreakdown(stt=index + 1)
                await log.record_turn(call, a_turn(index), Usage(), cost, NOW)
                assert await log.cover(call, STEP + index + 1, NOW)
            assert await log.finish(call, status=CallStatus.COMPLETED, reason="caller", now=NOW)
            assert await state(stores, call.organization_id) == (2 * STEP - TURNS, 0)
            stored = await stores.calls.by_id(call.id)
    assert [turn.index for turn in stored.turns] == list(range(TURNS))
    assert stored.cost.total == TURNS
    await events.close()
