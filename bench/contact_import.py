"""Contact files into MongoDB, and contacts out of it to a campaign's runners.

    python -m bench.contact_import [--rows 100000] [--contacts 5000] [--runners 4] [--claim 20]

Each import runs in a process of its own, so that its peak memory is its own; a heartbeat beside it says how long the
event loop was busy at a stretch. Targets: 100,000 rows of CSV within 10 s; 200 dials a second decided (claimed, the
attempt put on record, its outcome too), no contact dialled twice. `MONGODB_URL` replaces the embedded database.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from bench.contact_files import KINDS, bad_rows, contact_file
from bench.table import Column, Table
from cli.background import background
from cli.embedded.mongodb import mongodb_child, mongodb_url
from models.document import Id, new_id
from models.settings import Settings
from services.audit import AuditService
from services.contact_import.columns import Wanted
from services.contact_import.limits import Kind
from services.contacts import ContactService, ImportReport
from services.principal import Principal
from stores.contacts import Contacts, Finished
from stores.mongo import connect, database
from stores.repositories import Repositories

DATABASE = "callboard_bench_contacts"
BEAT_S = 0.005
NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Imported:
    """One import, as its own process saw it."""

    report: ImportReport
    took_s: float
    cpu_s: float
    """Of this process alone; the database has its own."""
    before_mb: float
    peak_mb: float
    late_ms: float
    """The longest that the event loop kept anybody waiting."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=5_000, help="to be dialled")
    parser.add_argument("--runners", type=int, default=4)
    parser.add_argument("--claim", type=int, default=20, help="contacts in one claim")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callboard-") as name, mongodb_at(Path(name)) as url:
        imports(url, Path(name), options.rows)
        campaign, path = new_id(), contact_file(Path(name), "csv", options.contacts)
        import_file(url, campaign, str(path), "csv")
        asyncio.run(conflict(url, campaign, options.runners, options.claim))
    print(f"load average {os.getloadavg()[0]:.1f}")


@contextmanager
def mongodb_at(data: Path) -> Iterator[str]:
    """The address of a database that runs meanwhile."""
    if given := os.environ.get("MONGODB_URL"):
        yield given
        return
    with background(data / "logs") as children:
        children.start(mongodb_child(data))
        yield mongodb_url(data)


def settings_of(url: str) -> Settings:
    """With that database."""
    return Settings(_env_file=None, mongodb_url=url, mongodb_database=DATABASE)


# --- in -------------------------------------------------------------------------------------------------------
def imports(url: str, folder: Path, rows: int, kinds: Sequence[Kind] = KINDS) -> None:
    """Import each kind of file, and the CSV once more."""
    table = Table(
        [
            Column(title, 9, is_text=title == "file")
            for title in ("file", "MB", "s", "rows/s", "CPU s", "MB before", "peak MB")
        ]
        + [Column(title, 9) for title in ("loop ms", "imported", "in file", "known", "bad")]
    )
    asyncio.run(prepare(url))
    campaigns = {kind: new_id() for kind in kinds}
    for kind, title in (*((kind, kind) for kind in kinds), ("csv", "csv again")):
        path = contact_file(folder, kind, rows)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            done = process.submit(import_file, url, campaigns[kind], str(path), kind).result()
        report, size = done.report, path.stat().st_size / 1e6
        rate = round(rows / done.took_s)
        sizes = (done.cpu_s, done.before_mb, done.peak_mb, done.late_ms)
        ends = (report.imported, report.duplicates_in_file, report.duplicates_in_campaign, report.bad)
        table.row(title, size, done.took_s, rate, *sizes, *ends)
        assert (report.rows, report.bad, report.stopped) == (rows, bad_rows(rows), None), report
    took_s, states = asyncio.run(_counted(url, campaigns["csv"]))
    print(f"counted by state and outcome in {took_s * 1000:.0f} ms: {states}")


async def _counted(url: str, campaign_id: Id) -> tuple[float, Mapping[str, int]]:
    async with connect(settings_of(url)) as client:
        contacts = Contacts(database(client, settings_of(url)))
        await contacts.next_due(campaign_id)  # connected
        began = time.perf_counter()
        counts = await contacts.counts(campaign_id)
        return time.perf_counter() - began, counts.states


async def prepare(url: str) -> None:
    """An empty database with its indexes."""
    async with connect(settings_of(url)) as client:
        await client.drop_database(DATABASE)
        await Repositories.over(database(client, settings_of(url))).create_indexes()


def import_file(url: str, campaign_id: Id, path: str, kind: Kind) -> Imported:
    """One file into one campaign; for a process of its own."""
    return asyncio.run(_imported(url, campaign_id, path, kind))


async def _imported(url: str, campaign_id: Id, path: str, kind: Kind) -> Imported:
    async with connect(settings_of(url)) as client:
        stores = Repositories.over(database(client, settings_of(url)))
        service = ContactService(stores.contacts, AuditService(stores.audit))
        principal = Principal(user_id=new_id(), organization_id=new_id())
        await stores.contacts.next_due(campaign_id)  # connected
        beating, before_mb = asyncio.create_task(_latest_beat()), _peak_mb()
        began, cpu_began = time.perf_counter(), time.process_time()
        with open(path, "rb") as file:  # noqa: ASYNC230 - only its beginning, and from the page cache
            report = await service.import_(principal, campaign_id, file, kind, Wanted(region="IN"), NOW)
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
        beating.cancel()
        [late_s] = await asyncio.gather(beating)
        return Imported(report, took_s, cpu_s, before_mb, _peak_mb(), late_s * 1000)


async def _latest_beat() -> float:
    """Until cancelled: by how much the latest beat came too late."""
    latest = 0.0
    while True:
        due = time.perf_counter() + BEAT_S
        try:
            await asyncio.sleep(BEAT_S)
        except asyncio.CancelledError:
            return latest
        latest = max(latest, time.perf_counter() - due)


def _peak_mb() -> float:
    """Of this process's own memory: what `getrusage` says begins with that of the process that started it."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


# --- out ------------------------------------------------------------------------------------------------------
async def conflict(url: str, campaign_id: Id, runners: int, limit: int) -> None:
    """Let the runners claim, begin and settle everything there is, as fast as they can."""
    async with connect(settings_of(url)) as client:
        contacts = Contacts(database(client, settings_of(url)))
        due = (await contacts.counts(campaign_id)).states["pending"]
        began = time.perf_counter()
        work = (_run(contacts, campaign_id, f"runner {at}", limit) for at in range(runners))
        dialled = [contact_id for each in await asyncio.gather(*work) for contact_id in each]
        took_s = time.perf_counter() - began
        counts = await contacts.counts(campaign_id)
    twice = sum(times > 1 for times in Counter(dialled).values())
    print(f"\n{runners} runners, {limit} in a claim: {due} contacts dialled in {took_s:.1f} s, {due / took_s:.0f}/s")
    print(f"  dialled twice {twice}, never {due - len(set(dialled))}; {dict(counts.states)} {dict(counts.outcomes)}")
    assert not twice
    assert counts.states == {"done": due} == {"done": len(dialled)}


async def _run(contacts: Contacts, campaign_id: Id, runner: str, limit: int) -> list[Id]:
    """One runner after the other's contacts; those it began an attempt with."""
    dialled: list[Id] = []
    while claimed := await contacts.claim_due(campaign_id, runner, limit, NOW):
        for contact in claimed:
            if await contacts.begin_attempt(contact.id, 1, new_id(), NOW, runner=runner):
                dialled.append(contact.id)
                await contacts.record_outcome(contact.id, 1, "answered", Finished("answered"), NOW)
    return dialled


if __name__ == "__main__":
    main()
