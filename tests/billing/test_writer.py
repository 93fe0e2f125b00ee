"""The ledger's writer on the real database: races, repetitions, and crashes between any two writes."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings as examples, strategies as st

from actors.billing.writer import LedgerWriter
from models.document import Id, new_id
from models.errors import CallboardError, InsufficientCredits
from models.ledger import Entry
from models.settings import Settings
from stores.holds import Holds
from stores.ledger import Ledger
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW
from tests.money import STEP, a_writer, fund, state
from tests.numbers import counted

pytestmark = pytest.mark.integration


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Repositories]:
    async with connect(settings) as client:
        repositories = Repositories.over(database(client, settings))
        await repositories.ledger.create_indexes()
        await repositories.holds.create_indexes()
        yield repositories


async def entries_of(stores: Repositories, account: Id) -> list[Entry]:
    found = await stores.ledger.search(account, kind=None, call_id=None, page=1, limit=100_000)
    return found.items[::-1]


async def assert_adds_up(stores: Repositories, account: Id) -> list[Entry]:
    """Whatever happened: the sums are the balance, no number or key twice, no gap."""
    entries = await entries_of(stores, account)
    assert await state(stores, account) == (
        sum(entry.amount_micros for entry in entries),
        sum(entry.held_micros for entry in entries),
    )
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert len({entry.key for entry in entries}) == len(entries)
    return entries


async def test_many_writers_of_one_account_lose_and_double_nothing(stores: Repositories) -> None:
    account = new_id()
    await fund(stores, account, 100 * STEP)
    writers = [a_writer(stores) for _ in range(3)]
    calls = [new_id() for _ in range(12)]

    async def live(call_id: Id) -> None:
        one, other = random.Random(call_id).sample(writers, 2)
        await asyncio.gather(one.hold(account, call_id, NOW), other.hold(account, call_id, NOW))
        await asyncio.gather(
            *(one.extend(account, call_id, STEP + more, NOW) for more in range(5)),
            *(writer.close(account, call_id, 100, NOW) for writer in writers),
        )

    await asyncio.gather(*(live(call_id) for call_id in calls))
    assert await state(stores, account) == (100 * STEP - 100 * len(calls), 0)
    await assert_adds_up(stores, account)


async def test_a_call_that_ends_while_it_is_extended_keeps_nothing(stores: Repositories, settings: Settings) -> None:
    account, call_id = new_id(), new_id()
    await fund(stores, account, 10 * STEP)
    await a_writer(stores).hold(account, call_id, NOW)

    class Slow(Ledger):
        async def of_call(self, organization_id: Id, call_id: Id) -> list[Entry]:
            entries = await super().of_call(organization_id, call_id)
            await a_writer(stores).close(account, call_id, 100, NOW)
            return entries

    async with connect(settings) as client:
        writer = LedgerWriter(Slow(database(client, settings)), stores.holds, STEP)
        assert not await writer.extend(account, call_id, 3 * STEP, NOW)
    assert await state(stores, account) == (10 * STEP - 100, 0)


async def test_calls_at_once_cannot_hold_more_than_there_is(stores: Repositories) -> None:
    account = new_id()
    await fund(stores, account, 3 * STEP)
    holds = [a_writer(stores).hold(account, new_id(), NOW) for _ in range(6)]
    refused = [error for error in await asyncio.gather(*holds, return_exceptions=True) if error is not None]
    assert [type(error) for error in refused] == [InsufficientCredits] * 3
    assert await state(stores, account) == (3 * STEP, 3 * STEP)


async def test_credit_under_one_key_is_given_once(stores: Repositories) -> None:
    account, by = new_id(), new_id()
    gifts = [a_writer(stores).top_up(account, "k", 50, reason="r", by=by, now=NOW) for _ in range(5)]
    made = await asyncio.gather(*gifts)
    assert len({entry.id for entry in made}) == 1
    assert await state(stores, account) == (50, 0)


async def test_a_refused_call_is_on_nobodys_list(stores: Repositories) -> None:
    call_id = new_id()
    with pytest.raises(InsufficientCredits):
        await a_writer(stores).hold(new_id(), call_id, NOW)
    assert call_id not in {hold.call_id for hold in await stores.holds.due(NOW.replace(year=2100), 10_000)}


# --- crashes ------------------------------------------------------------------------------------------
class Crash(BaseException):
    """The process is gone: nothing in it can catch this."""


class Fuse:
    """Burns through before or after the nth write from now."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.crashes = 0

    def set(self, writes: int) -> None:
        self.left = writes

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                self.crashes += 1
                raise Crash

    async def around(self, write: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        self.burn()
        done = await write(*arguments)
        self.burn()
        return done


class BurningLedger(Ledger):
    fuse: Fuse

    async def insert(self, document: Entry) -> Entry:
        written: Entry = await self.fuse.around(super().insert, document)
        return written


class BurningHolds(Holds):
    fuse: Fuse

    async def add(self, *arguments: Any) -> None:
        await self.fuse.around(super().add, *arguments)

    async def remove(self, call_id: Id) -> None:
        await self.fuse.around(super().remove, call_id)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "hold", "extend", "close", "top_up"]),
        st.integers(0, 3),  # which call
        st.integers(0, 5 * STEP),
        st.integers(0, 5),  # the process dies before or after this write, if there are so many
    ),
    min_size=1,
    max_size=25,
)


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 9))
def test_crashes_between_any_two_writes_lose_and_double_nothing(
    settings: Settings, steps: list[tuple[str, int, int, int]], seed: int
) -> None:
    asyncio.run(_live_through(settings, steps, seed))


async def _live_through(settings: Settings, steps: list[tuple[str, int, int, int]], seed: int) -> None:
    """Do the steps; whoever asked asks again after a crash, or never does, as chance will have it."""
    async with connect(settings) as client:
        rows = database(client, settings)
        stores = Repositories.over(rows)
        await stores.ledger.create_indexes()
        fuse, chance = Fuse(), random.Random(seed)
        account, calls = new_id(), [new_id() for _ in range(4)]
        await fund(stores, account, 10 * STEP)

        def restarted() -> LedgerWriter:
            ledger, holds = BurningLedger(rows), BurningHolds(rows)
            ledger.fuse = holds.fuse = fuse
            return LedgerWriter(ledger, holds, STEP)

        async def ask(step: tuple[str, int, int, int]) -> None:
            name, which, amount, _ = step
            writer, call_id = restarted(), calls[which]
            match name:
                case "hold":
                    await writer.hold(account, call_id, NOW)
                case "extend":
                    await writer.extend(account, call_id, amount, NOW)
                case "close":
                    await writer.close(account, call_id, amount, NOW)
                case _ if amount > 0:
                    await writer.top_up(account, f"{which}", amount, reason="", by=None, now=NOW)

        for step in steps:
            fuse.set(step[3])
            for _ in range(2):
                try:
                    await ask(step)
                except CallboardError:
                    break
                except Crash:
                    if chance.random() < 0.5:
                        break
                else:
                    break
            fuse.left = None
        entries = await assert_adds_up(stores, account)
        credited = {entry.key: entry.amount_micros for entry in entries if entry.kind == "top-up"}
        spent = sum(entry.amount_micros for entry in entries if entry.kind == "settle")
        assert (await state(stores, account))[0] == sum(credited.values()) + spent
        for listed in await stores.holds.due(NOW.replace(year=2100), 100_000):
            if listed.organization_id == account:
                await a_writer(stores).close(account, listed.call_id, 0, NOW)
        # Whoever held anything was on the list.
        assert (await state(stores, account))[1] == 0
        await assert_adds_up(stores, account)


async def test_entries_are_counted_and_what_is_held_is_known_after_each(stores: Repositories) -> None:
    account, calls, writer = new_id(), [new_id(), new_id()], a_writer(stores)
    await fund(stores, account, 10 * STEP)
    with counted() as numbers:
        for call_id in calls:
            await writer.hold(account, call_id, NOW)
        await writer.hold(account, calls[0], NOW)  # again, which enters nothing
        for call_id in calls:
            await writer.close(account, call_id, 100, NOW)
    assert (len(numbers.of("ledger_entries_total", kind="hold")), len(numbers.of("ledger_entries_total"))) == (2, 4)
    assert numbers.of("credits_held_micros") == [STEP, 2 * STEP, STEP, 0]
