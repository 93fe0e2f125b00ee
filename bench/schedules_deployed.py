"""Scheduled calls of a deployed product, from the order over REST to the carrier: for `bench.schedules --deployed`.

Whoever is dialled is busy at once. Only so many can be dialled at the same time as there are call actors: each call
has one kept for it, until the carrier says that nobody will be talked to.
"""

import argparse
import asyncio
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet
from pydantic import SecretStr

from bench.conversation import NUMBERS, Product, load, product
from bench.customer import BUSY, Customer, customer
from bench.numbers_page import numbers
from bench.processes import members
from bench.table import Column, Table
from bench.timing import Latencies
from bench.victims import slay
from models.document import Id
from models.schedule import Schedule, ScheduleStatus
from services.schedule_plan import LEASE_S

ORDERS_AT_ONCE = 8
AHEAD_S = 20.0
ORDER_S = 0.15
"""How long before their time schedules are ordered, and so much more for each of them."""
KILLED_AFTER_S = 0.2
SETTLED_S = 150.0
"""After their time, or the product's return, all schedules are dealt with within this."""
STOPPED_S = 25.0
"""Before the time of what is to come due while everything is stopped: stopping takes a while."""
PATIENT, IMPATIENT = 10, 1
"""`lateMinutes` of those that are dialled after a restart, and of those that are missed."""
AWAY_S = 62.0
"""How long after the time the product is started again: too late for the impatient."""
AT_ONCE, KILLED, STOPPED = "at once", "killed", "stopped"
ROWS = (AT_ONCE, KILLED, STOPPED)
"""What is tried: so many due at once, all replicas killed, everything stopped."""
OPEN: tuple[ScheduleStatus, ...] = ("scheduled", "firing")
COLUMNS = (
    Column("deployed", 16, is_text=True),
    Column("due", 5),
    Column("p50 ms", 9),
    Column("p99 ms", 9),
    Column("max ms", 9),
    Column("within 1 s", 10),
    Column("twice", 5),
    Column("lost", 5),
    Column("done", 5),
    Column("missed", 6),
    Column("refused", 7),
)


@dataclass
class Lot:
    """Schedules that are due at the same second, each to a number of its own."""

    due_at: datetime
    numbers: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    async def order(self, who: Customer, count: int, *, late_minutes: int = PATIENT) -> None:
        """So many more, over REST."""
        slots = asyncio.Semaphore(ORDERS_AT_ONCE)
        wanted = [f"+9198{secrets.randbelow(10**8):08d}" for _ in range(count)]

        async def one(number: str) -> str:
            body = {
                "fromPhone": NUMBERS[0],
                "toPhone": number,
                "agentId": who.agent_id,
                "localTime": self.due_at.replace(tzinfo=None).isoformat(),
                "timezone": "UTC",
                "lateMinutes": late_minutes,
            }
            async with slots:
                made: str = (await who.ask("POST", "/schedules", body))["schedule"]["_id"]
                return made

        self.ids += await asyncio.gather(*map(one, wanted))
        self.numbers += wanted

    async def settled(self, who: Customer, within_s: float) -> list[Schedule]:
        """The schedules, once nothing more comes of any of the customer's, or the time is up."""
        give_up = time.monotonic() + within_s
        while time.monotonic() < give_up and await _waiting(who):  # noqa: ASYNC110 - they are in another process
            await asyncio.sleep(1.0)
        return [await who.stores.schedules.get(who.organization_id, each) for each in self.ids]


def main(options: argparse.Namespace, url: str, database: str) -> None:
    """Every row, on a database that outlives the product."""
    keys = {"secret_key": SecretStr(secrets.token_hex()), "encryption_key": SecretStr(Fernet.generate_key().decode())}
    chosen: dict[str, object] = {
        **keys,
        "mongodb_database": database,
        "serve_replicas": options.replicas,
        "call_slots": options.lines,
    }
    with _database_at(url):
        with product(**chosen) as deployed:
            table = Table(COLUMNS)
            lot, owner = asyncio.run(_first(deployed, table, options))
        if STOPPED not in options.only:
            return
        asyncio.run(_until(lot.due_at + timedelta(seconds=AWAY_S)))
        with product(**chosen) as deployed:
            asyncio.run(_again(deployed, table, lot, owner))
            print(f"{options.lines} call actors; {load()} at the end")


async def _first(deployed: Product, table: Table, options: argparse.Namespace) -> tuple[Lot, Id]:
    """What is measured before the product stops; and what comes due meanwhile."""
    async with customer(deployed, BUSY) as who:
        await who.call()  # what is slow the first time is not the rows' matter
        if AT_ONCE in options.only:
            lot = await _ordered(who, options.due)
            await _show(table, f"{options.due} {AT_ONCE}", deployed, who, lot)
        if KILLED in options.only:
            lot = await _ordered(who, options.stopped)
            await _until(lot.due_at + timedelta(seconds=KILLED_AFTER_S))
            slay({each.pid for each in members(deployed.children) if each.part == "replicas"})
            await _show(table, f"replicas {KILLED}", deployed, who, lot, within_s=LEASE_S + SETTLED_S)
        lot = Lot(_soon(options.stopped, STOPPED_S))
        await lot.order(who, options.stopped // 2)
        await lot.order(who, options.stopped - options.stopped // 2, late_minutes=IMPATIENT)
        return lot, who.organization_id


async def _again(deployed: Product, table: Table, lot: Lot, owner: Id) -> None:
    """The product is back: what came due meanwhile."""
    async with customer(deployed, BUSY, owner=owner) as who:
        back = f"back after {(datetime.now(UTC) - lot.due_at).total_seconds():.0f} s"
        found = await _show(table, back, deployed, who, lot)
        reasons = Counter(each.reason for each in found if each.status != "done")
        for reason, count in reasons.items():
            print(f"    {count} missed: {reason}", flush=True)


async def _ordered(who: Customer, count: int) -> Lot:
    lot = Lot(_soon(count))
    await lot.order(who, count)
    return lot


async def _show(
    table: Table, name: str, deployed: Product, who: Customer, lot: Lot, within_s: float = SETTLED_S
) -> list[Schedule]:
    """Print a row once all is settled."""
    left_s = max(0.0, (lot.due_at - datetime.now(UTC)).total_seconds())
    refused = await _refused(deployed)
    found = await lot.settled(who, left_s + within_s)
    table.row(name, *_cells(lot, found, _dialled(who, lot)), await _refused(deployed) - refused)
    return found


def _cells(lot: Lot, found: Sequence[Schedule], dialled: Mapping[str, list[datetime]]) -> list[object]:
    late = Latencies([(at - lot.due_at).total_seconds() * 1000 for times in dialled.values() for at in times])
    status = Counter(each.status for each in found)
    missed = {each.to_phone for each in found if each.status == "missed"}
    lost = set(lot.numbers) - dialled.keys() - missed
    twice = sum(len(times) - 1 for times in dialled.values())
    return [
        len(lot.numbers),
        *((late.p50, late.p99, max(late.all_ms)) if late.all_ms else (None, None, None)),
        sum(each < 1000 for each in late.all_ms),
        twice + len(missed & dialled.keys()),
        len(lost),
        status["done"],
        status["missed"],
    ]


def _dialled(who: Customer, lot: Lot) -> dict[str, list[datetime]]:
    """When each number was dialled, by the carrier's books."""
    found: dict[str, list[datetime]] = {}
    for call in who.carrier.calls.values():
        if call.state.from_number in lot.numbers:
            found.setdefault(call.state.from_number, []).append(call.state.created)
    return found


async def _waiting(who: Customer) -> int:
    lists = [await who.stores.schedules.search(who.organization_id, status=status, page=1, limit=1) for status in OPEN]
    return sum(each.total for each in lists)


async def _refused(deployed: Product) -> int:
    """Orders there was no room for so far, by the product's own count."""
    found = await asyncio.to_thread(numbers, deployed.settings.callboard_data_dir)
    return int(found.total("calls_refused_total", direction="outbound") or 0)


def _soon(count: int, ahead_s: float = AHEAD_S) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=ahead_s + ORDER_S * count)).replace(microsecond=0)


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


@contextmanager
def _database_at(url: str) -> Iterator[None]:
    """Every product started inside has this database."""
    before = os.environ.get("MONGODB_URL")
    os.environ["MONGODB_URL"] = url
    try:
        yield
    finally:
        if before is None:
            del os.environ["MONGODB_URL"]
        else:
            os.environ["MONGODB_URL"] = before
