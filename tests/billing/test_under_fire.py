"""The ledger's writers as Ray actors, killed again and again while calls begin, run and end."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import ray

from actors.billing import actor as ledger
from actors.billing.client import LedgerClient
from models.document import Id, new_id
from models.errors import CreditUnavailable
from models.settings import Settings
from services.call_log import CallLog
from services.leftovers import ORPHAN_S, Leftovers
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW
from tests.local_ray import local_ray
from tests.money import STEP, fund

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

KILLS = 20
"""Each costs a second until the writer is back."""
OPERATIONS = 1_000
ACCOUNTS = 8
CALLERS = 12
FUNDS = 10_000 * STEP


@pytest.fixture(scope="module")
def burning(settings: Settings) -> Iterator[Settings]:
    """Two writers on a Ray of their own."""
    own = settings.model_copy(update={"ray_namespace": "ledger_under_fire", "billing_shards": 2})
    with local_ray(own.ray_namespace):
        writers = ledger.start(own)
        ray.get([writer.ready.remote() for writer in writers], timeout=60)
        yield own
        for writer in writers:
            ray.kill(writer)


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Repositories]:
    async with connect(settings) as client:
        repositories = Repositories.over(database(client, settings))
        await repositories.create_indexes()
        yield repositories


@dataclass
class Fire:
    """What was asked and acknowledged, and how often a writer died meanwhile."""

    credit: LedgerClient
    accounts: list[Id]
    chance: random.Random
    operations: int = 0
    kills: int = 0
    charged: dict[Id, tuple[Id, int]] = field(default_factory=dict)
    abandoned: int = 0

    @property
    def burns(self) -> bool:
        return self.operations < OPERATIONS or self.kills < KILLS

    async def one_call(self) -> None:
        """Held, extended, closed; some requests come twice at once, some calls are left open by a dead process."""
        account, call_id = self.chance.choice(self.accounts), new_id()
        await self._twice(lambda: self.credit.hold(account, call_id, NOW))
        for minute in range(2, 2 + self.chance.randrange(4)):
            await self._twice(lambda: self.credit.extend(account, call_id, minute * STEP, NOW))  # noqa: B023
        if self.chance.random() < 0.1:
            self.abandoned += 1
            return
        cost = self.chance.randrange(STEP)
        await self._twice(lambda: self.credit.close(account, call_id, cost, NOW))
        self.charged[call_id] = (account, cost)

    async def _twice(self, request: Callable[[], Awaitable[object]]) -> None:
        """The same request twice at once, each again until it is acknowledged."""
        await asyncio.gather(self._acknowledged(request), self._acknowledged(request))
        self.operations += 1

    async def _acknowledged(self, request: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                assert await request() is not False
            except CreditUnavailable:
                continue
            return

    async def calls(self) -> None:
        while self.burns:
            await self.one_call()

    async def kill(self, writers: list[Any]) -> None:
        """SIGKILL a writer after every few dozen operations, at whatever point of its work it is."""
        while self.burns:
            until = self.operations + self.chance.randrange(5, 2 * OPERATIONS // KILLS - 5)
            while self.operations < until:  # noqa: ASYNC110 - what it waits for is in other processes
                await asyncio.sleep(0.01)
            os.kill(await self._pid(self.chance.choice(writers)), signal.SIGKILL)
            self.kills += 1

    @staticmethod
    async def _pid(writer: Any) -> int:
        async with asyncio.timeout(60):
            pid: int = await writer.ready.remote()
            return pid


async def test_killed_writers_lose_and_double_nothing(
    burning: Settings, stores: Repositories, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    fire = Fire(LedgerClient(burning), [new_id() for _ in range(ACCOUNTS)], random.Random(7))
    for account in fire.accounts:
        await fund(stores, account, FUNDS)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(fire.calls())
        group.create_task(fire.kill(ledger.start(burning)))
    seconds = time.monotonic() - began
    await _close_leftovers(fire, stores, settings)
    entries = 0
    for account in fire.accounts:
        entries += await _adds_up(account, fire, stores)
    figures = (
        f"{fire.operations} operations acknowledged, {fire.kills} writers killed, {len(fire.charged)} calls charged, "
        f"{fire.abandoned} left open, {entries} entries, {seconds:.0f} s"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
    assert (fire.operations >= OPERATIONS, fire.kills >= KILLS) == (True, True)


async def _close_leftovers(fire: Fire, stores: Repositories, settings: Settings) -> None:
    """What the sweeper does an hour later."""
    events = Events(settings.redis_url or "")
    log = CallLog(stores.calls, fire.credit, events)
    leftovers = Leftovers(stores.holds, stores.calls, log, fire.credit)
    for round_ in range(1 + fire.abandoned // 100):
        await leftovers.settle(NOW + timedelta(seconds=(2 + round_) * ORPHAN_S))
    await events.close()


async def _adds_up(account: Id, fire: Fire, stores: Repositories) -> int:
    """Sums are balances, nothing is entered twice, nothing is held, and every acknowledged charge is there."""
    page = await stores.ledger.search(account, kind=None, call_id=None, page=1, limit=100_000)
    entries = page.items[::-1]
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert len({entry.key for entry in entries}) == len(entries)
    assert sum(entry.held_micros for entry in entries) == entries[-1].total_held_micros == 0
    costs = {call: cost for call, (owner, cost) in fire.charged.items() if owner == account}
    assert sum(entry.amount_micros for entry in entries) == entries[-1].balance_micros == FUNDS - sum(costs.values())
    closed = {entry.call_id: -entry.amount_micros for entry in entries if entry.kind in ("settle", "release")}
    assert {call: closed[call] for call in costs} == costs
    return len(entries)
