"""The journal of a live call on the real database: what it sets aside, and what it does when the account is empty."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from actors.billing.rating import Prices, rate
from actors.call_session.journal import Journal
from actors.call_session.protocol import Finish, SaveDisposition, SaveUsage
from models.call import Call, CallStatus, Usage
from models.document import new_id
from models.settings import Settings
from services.call_log import CallLog
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW, a_call
from tests.money import STEP, a_writer, fund, state

pytestmark = pytest.mark.integration

PRICES = Prices.of(Settings(_env_file=None))
EXPENSIVE = Usage(tts_chars=2_000)
"""More than half of what a call begins with."""


@dataclass
class Written:
    """A call whose journal is about to write; `usage` is what it has used."""

    journal: Journal
    call: Call
    stores: Repositories
    usage: list[Usage] = field(default_factory=lambda: [Usage()])
    empty: list[None] = field(default_factory=list)
    stuck: list[None] = field(default_factory=list)

    async def write(self, *usage: Usage) -> None:
        """A periodic entry for each of these, and the end."""
        for each in usage:
            self.usage[0] = each
            self.journal.add(SaveUsage())
        self.journal.add(Finish(CallStatus.COMPLETED, "caller"))
        await self.journal.run()


@pytest.fixture
async def written(settings: Settings, tmp_path: Path) -> AsyncIterator[Written]:
    events = Events(settings.redis_url or "")
    async with connect(settings) as client:
        stores = Repositories.over(database(client, settings))
        await stores.create_indexes()
        call = a_call(new_id())
        await stores.calls.insert(call)
        log = CallLog(stores.calls, a_writer(stores), events)
        made: list[Written] = []
        journal = Journal(
            call,
            log,
            prices=PRICES,
            usage=lambda: made[0].usage[0],
            recording_path=tmp_path / "none.wav",
            on_empty_account=lambda: made[0].empty.append(None),
            on_stuck=lambda: made[0].stuck.append(None),
            buffer=10,
        )
        made.append(Written(journal, call, stores))
        yield made[0]
        await events.close()


async def test_a_call_that_spends_keeps_a_minute_ahead_and_settles(written: Written) -> None:
    account, call = written.call.organization_id, written.call
    await fund(written.stores, account, 10 * STEP)
    await a_writer(written.stores).hold(account, call.id, NOW)
    await written.write(Usage(tts_chars=100), EXPENSIVE)
    cost = rate(EXPENSIVE, PRICES).total
    kinds = [(entry.kind, entry.held_micros) for entry in await written.stores.ledger.of_call(account, call.id)]
    ahead = cost + max(STEP, 2 * cost)
    assert kinds == [("hold", STEP), ("extend", ahead - STEP), ("settle", -ahead)]
    assert (written.empty, await state(written.stores, account)) == ([], (10 * STEP - cost, 0))


async def test_an_account_that_runs_dry_ends_the_call_while_it_still_can_pay(written: Written) -> None:
    account, call = written.call.organization_id, written.call
    await fund(written.stores, account, STEP)
    await a_writer(written.stores).hold(account, call.id, NOW)
    await written.write(EXPENSIVE)
    cost = rate(EXPENSIVE, PRICES).total
    assert (written.empty, written.stuck) == ([None], [])
    assert await state(written.stores, account) == (STEP - cost, 0)
    assert STEP - cost > 0


async def test_what_the_agent_says_a_call_came_to_is_in_the_log_when_it_ends(written: Written) -> None:
    written.journal.add(SaveDisposition("interested", "On Monday"))
    await written.write()
    stored = await written.stores.calls.by_id(written.call.id)
    assert stored.disposition is not None
    assert (stored.disposition.name, stored.disposition.notes, stored.disposition.by) == (
        "interested",
        "On Monday",
        None,
    )
    assert stored.status is CallStatus.COMPLETED
