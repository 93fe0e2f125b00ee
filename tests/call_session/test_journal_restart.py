"""The journal of a live call through restarts of the real database: every entry once, in order."""

import asyncio
from pathlib import Path

import pytest

from actors.billing.rating import Prices, rate
from actors.call_session.commands import Connect, Finish, SaveProgress, SaveTurn, SaveUsage
from actors.call_session.journal import Journal
from cli.background import background
from cli.embedded.mongodb import mongodb_child, mongodb_url as embedded_url
from models.call import CallStatus, Lease, TurnTimings, Usage
from models.document import new_id
from models.settings import Settings
from services.call_log import CallLog
from stores import mongo
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW, a_call
from tests.money import STEP, a_writer, fund, state

pytestmark = pytest.mark.integration

OUTAGES = 3
TURNS = 4
"""Before, and during, each outage."""


async def test_everything_is_written_once_and_in_order(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "OPERATION_MS", 500)  # or the driver itself would wait for the database
    settings = Settings(_env_file=None, mongodb_url=embedded_url(tmp_path), redis_url=redis_url)
    prices, events = Prices.of(settings), Events(redis_url)
    told: list[str] = []
    used = [Usage()]
    with background(tmp_path / "logs") as running:
        running.start(mongodb_child(tmp_path))
        async with connect(settings) as client:
            stores = Repositories.over(database(client, settings))
            await stores.create_indexes()
            credit = a_writer(stores)
            call = a_call(new_id(), lease=Lease(actor="a", leased_at=NOW))
            await fund(stores, call.organization_id, 2 * STEP)
            await credit.hold(call.organization_id, call.id, NOW)
            await stores.calls.insert(call)
            journal = Journal(
                call,
                CallLog(stores.calls, credit, events),
                prices=prices,
                usage=lambda: used[0],
                recording_path=tmp_path / "none.wav",
                on_empty_account=lambda: told.append("empty"),
                on_stuck=lambda: told.append("stuck"),
                buffer=settings.call_log_buffer,
            )
            writing = asyncio.create_task(journal.run())
            journal.add(Connect())
            for _ in range(OUTAGES):
                _talk(journal, used)
                await asyncio.to_thread(running.stop)
                _talk(journal, used)
                await asyncio.sleep(1)
                assert journal.is_behind
                await asyncio.to_thread(running.start, mongodb_child(tmp_path))
            journal.add(Finish(CallStatus.COMPLETED, "caller"))
            await writing
            stored = await stores.calls.by_id(call.id)
            balance = await state(stores, call.organization_id)
            entries = await stores.ledger.of_call(call.organization_id, call.id)
    await events.close()
    cost = rate(used[0], prices)
    assert [turn.content for turn in stored.turns] == [str(n) for n in range(2 * TURNS * OUTAGES)]
    assert (stored.status, stored.cost, stored.usage, stored.progress) == (CallStatus.COMPLETED, cost, used[0], None)
    assert (balance, told) == ((2 * STEP - cost.total, 0), [])
    assert [entry.kind for entry in entries].count("settle") == 1


def _talk(journal: Journal, used: list[Usage]) -> None:
    """Both say something."""
    for n in range(TURNS):
        so_far = used[0].tts_chars
        used[0] = Usage(tts_chars=so_far + 1)
        role = "assistant" if n % 2 else "user"
        journal.add(SaveUsage())
        if role == "assistant":
            journal.add(SaveProgress("", str(so_far), 0.0, 1.0))
        journal.add(SaveTurn(role, str(so_far), interrupted=False, timings=TurnTimings()))
