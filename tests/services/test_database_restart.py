"""A call is logged through restarts of the database: nothing is lost, doubled or reported as an error."""

import os
import signal
from pathlib import Path

import pytest

from cli.background import background
from cli.embedded.mongodb import mongodb_child, mongodb_url as embedded_url
from models.call import CallStatus, CostBreakdown, Usage
from models.document import new_id
from models.organization import Organization
from models.settings import Settings
from services.call_log import CallLog
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW, a_call, a_turn

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
            log = CallLog(stores.calls, stores.organizations, events)
            organization = Organization(id=new_id(), created_at=NOW, updated_at=NOW, balance_micros=1000)
            await stores.organizations.insert(organization)
            call = a_call(organization.id)
            await stores.organizations.open_charge(organization.id, call.id, NOW)
            await stores.calls.insert(call)
            for index in range(TURNS):
                if index % 25 == 10:
                    os.kill(running.pid("mongodb") or 0, signal.SIGKILL)
                cost = CostBreakdown(stt=index + 1)
                balance = await log.record_turn(call, a_turn(index), Usage(), cost, NOW)
                assert balance == 1000 - (index + 1)
            assert await log.finish(call, status=CallStatus.COMPLETED, reason="caller", now=NOW)
            stored = await stores.calls.by_id(call.id)
    assert [turn.index for turn in stored.turns] == list(range(TURNS))
    assert stored.cost.total == TURNS
    await events.close()
