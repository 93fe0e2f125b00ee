"""Calls that are all due at the same second, over a real store and replicas in processes of their own.

    python -m bench.schedules [--due 500] [--replicas 2] [--dial-ms 50]
    python -m bench.schedules --deployed [--due 500] [--replicas 2] [--lines 8] [--stopped 50]

Nobody is dialled: placing a call is a line in a file and a pause, and a call that is there is not placed again.
Targets: p99 within a second of its time, none twice, none lost: also when a replica is killed in the middle, and when
all were away for 3 s while the calls came due. What a killed replica had in hand is taken up a minute later, when its
claims run out.

With --deployed it is the whole product, ordered over REST, and the carrier counts; everybody is busy at once. How many
can be dialled at the same time is how many lines there are, so the rest is late (`refused`: orders that found no room,
and were given again). Then some come due just before all replicas are killed, and some while everything is stopped: of
these one half may be late, the other half may not, and says so.
`MONGODB_URL` replaces the embedded database.
"""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path
from typing import Any

from bench import schedules_deployed
from bench.table import Column, Table
from bench.timing import Latencies
from cli.background import background
from cli.embedded.mongodb import mongodb_child, mongodb_url
from models.agent import AgentConfig, Llm, Voice
from models.call import Call, SessionId
from models.document import Id, new_id
from models.errors import NotFound
from models.schedule import Schedule
from models.settings import Settings
from models.user import User
from serve_app.schedule_rounds import ScheduleRounds
from services.principal import Principal
from services.recurrence import first, local_time, zone_of
from services.schedule_plan import LEASE_S, coming, waiting
from services.schedule_runner import ScheduleRunner
from stores.mongo import connect, database
from stores.repositories import Repositories

DATABASE = "callboard_bench_schedules"
ORGANIZATION = new_id()
AHEAD_S = 5.0
"""How long after they are made the calls are due, and a second more for each 200 of them."""
DOWN_S = 3.0
CONFIG = AgentConfig(
    prompt="You are nobody.", voice=Voice(provider="espeak", voice_id="en"), language="en", llm=Llm(model="gpt-4")
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to the replicas: killed so long after the due time, or away until so long after it."""

    name: str
    kill_after_s: float | None = None
    away_s: float = 0.0


PLANS = (Plan("as it should be"), Plan("one replica killed", kill_after_s=0.1), Plan("all away", away_s=DOWN_S))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--due", type=int, default=500)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--dial-ms", type=int, default=50)
    parser.add_argument("--deployed", action="store_true", help="the whole product")
    parser.add_argument("--lines", type=int, default=8, help="call actors of the deployed product")
    parser.add_argument("--stopped", type=int, default=50, help="due while the deployed product is killed, or stopped")
    rows = schedules_deployed.ROWS
    parser.add_argument("--only", nargs="+", choices=rows, default=rows, help="of the deployed product's rows")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{options.due} due at once, {options.replicas} replicas, {platform.machine()}, load {load:.1f}")
    if options.deployed:
        with tempfile.TemporaryDirectory(prefix="callboard-") as directory, stored(Path(directory)) as settings:
            schedules_deployed.main(options, settings.mongodb_url or "", DATABASE)
        return
    numbers = [Column(title, 9) for title in ("p50 ms", "p99 ms", "max ms", "within 1 s", "twice", "lost", "done")]
    table = Table([Column("replicas", 20, is_text=True), *numbers])
    with tempfile.TemporaryDirectory(prefix="callboard-") as directory, stored(Path(directory)) as settings:
        for plan in PLANS:
            table.row(plan.name, *asyncio.run(measured(settings, Path(directory), plan, options)))


async def measured(settings: Settings, folder: Path, plan: Plan, options: argparse.Namespace) -> list[object]:
    """A row: lateness, how many were dialled twice or never, how many schedules say that they are done."""
    async with connect(settings) as client:
        await client.drop_database(DATABASE)
        stores = Repositories.over(database(client, settings))
        notes = Path(tempfile.mkdtemp(dir=folder))
        with replicas(settings, notes, options.replicas, options.dial_ms / 1000) as (running, begin):
            ahead_s = AHEAD_S + options.due / 200
            due_at = (datetime.now(UTC) + timedelta(seconds=ahead_s)).replace(microsecond=0)
            made = await _seed(stores, due_at, options.due)
            if plan.away_s:
                await _until(due_at + timedelta(seconds=plan.away_s))
            begin.set()
            if plan.kill_after_s is not None:
                await _until(due_at + timedelta(seconds=plan.kill_after_s))
                running[0].kill()
            await _finished(stores, options.due, LEASE_S + 20)
        return _row(made, _dialled(notes), due_at, await _done(stores))


def _row(made: Sequence[Schedule], dialled: dict[str, list[datetime]], due_at: datetime, done: int) -> list[object]:
    late = Latencies([(at - due_at).total_seconds() * 1000 for times in dialled.values() for at in times])
    wanted = {each.coming.call_id for each in made if each.coming is not None}
    punctual = sum(each < 1000 for each in late.all_ms)
    twice = sum(max(0, len(times) - 1) for times in dialled.values())
    return [late.p50, late.p99, max(late.all_ms), punctual, twice, len(wanted - dialled.keys()), done]


async def _seed(stores: Repositories, due_at: datetime, count: int) -> list[Schedule]:
    await stores.create_indexes()
    now = datetime.now(UTC)
    dates: dict[str, Any] = {"created_at": now, "updated_at": now, "organization_id": ORGANIZATION}
    user = await stores.users.insert(User(**dates, email="bench@example.com", password_hash="x"))
    local = due_at.replace(tzinfo=None).isoformat()
    upon = [coming(first(local_time(local), zone_of("UTC"), None)) for _ in range(count)]
    blank = Schedule(
        **dates,
        user_id=user.id,
        from_phone="+919876543210",
        to_phone="+919123456789",
        agent_id=new_id(),
        local_time=local,
        timezone="UTC",
        revision=new_id(),
    )
    made = [waiting(blank.model_copy(update={"id": new_id()}), each) for each in upon if each is not None]
    await asyncio.gather(*(stores.schedules.insert(each) for each in made))
    return made


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


async def _finished(stores: Repositories, count: int, within_s: float) -> None:
    """Returns when as many schedules as there should be are done, or nobody waits any longer."""
    for _ in range(int(within_s / 0.5)):
        await asyncio.sleep(0.5)
        if await _done(stores) >= count:
            return


async def _done(stores: Repositories) -> int:
    return (await stores.schedules.search(ORGANIZATION, status="done", page=1, limit=1)).total


def _dialled(notes: Path) -> dict[str, list[datetime]]:
    """By call, when it was dialled."""
    return {note.name: [datetime.fromisoformat(line) for line in note.read_text().split()] for note in notes.iterdir()}


# --- a replica --------------------------------------------------------------------------------------------
@contextmanager
def replicas(settings: Settings, notes: Path, count: int, dial_s: float) -> Iterator[tuple[list[BaseProcess], Event]]:
    """Processes that are ready to look after the schedules, and do from the event on until the context is left."""
    context = get_context("spawn")
    ready, begin = context.Semaphore(0), context.Event()
    running: list[BaseProcess] = [
        context.Process(target=replica, args=(settings.mongodb_url, notes, dial_s, ready, begin), daemon=True)
        for _ in range(count)
    ]
    for process in running:
        process.start()
    try:
        for _ in running:
            ready.acquire(timeout=60)
        yield running, begin
    finally:
        for process in running:
            process.kill()
            process.join()


def replica(mongodb: str, notes: Path, dial_s: float, ready: Semaphore, begin: Event) -> None:
    """One of them."""
    ready.release()
    begin.wait()
    asyncio.run(_look_after(_settings(mongodb), notes, dial_s))


async def _look_after(settings: Settings, notes: Path, dial_s: float) -> None:
    async with connect(settings) as client:
        runner = ScheduleRunner(Repositories.over(database(client, settings)), Dialler(notes, dial_s))
        async with ScheduleRounds(runner, lambda: datetime.now(UTC)).running():
            await asyncio.sleep(3600)


class Dialler:
    """Notes a call and pauses, as long as a carrier takes to answer; the note outlives the process."""

    def __init__(self, notes: Path, dial_s: float) -> None:
        self._notes = notes
        self._dial_s = dial_s

    async def place_outbound(
        self,
        principal: Principal,
        *,
        from_phone: str,
        to_phone: str,
        agent_id: str,
        metadata: dict[str, Any],
        now: datetime,
        call_id: Id | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Call:
        """Once per id, like the real one."""
        at, note = datetime.now(UTC), self._notes / str(call_id)
        if not note.exists():
            with note.open("a") as file:
                file.write(f"{at.isoformat()}\n")
            await asyncio.sleep(self._dial_s)
        return _call(call_id)

    async def get(self, principal: Principal, call_id: str) -> Call:
        """A call that is there."""
        if not (self._notes / call_id).exists():
            raise NotFound("Call not found")
        return _call(Id(call_id))


def _call(call_id: Id | None) -> Call:
    now = datetime.now(UTC)
    return Call(
        id=call_id or new_id(),
        created_at=now,
        updated_at=now,
        organization_id=new_id(),
        user_id=new_id(),
        session_id=SessionId("sess_bench"),
        agent_id=new_id(),
        agent_name="Bench",
        agent_config=CONFIG,
        phone_id=new_id(),
        direction="outbound",
        from_phone="+919876543210",
        to_phone="+919123456789",
        carrier_call_id="bench",
    )


# --- the store --------------------------------------------------------------------------------------------
@contextmanager
def stored(data: Path) -> Iterator[Settings]:
    """Settings of a database that is running."""
    if given := os.environ.get("MONGODB_URL"):
        yield _settings(given)
        return
    with background(data / "logs") as running:
        running.start(mongodb_child(data))
        yield _settings(mongodb_url(data))


def _settings(url: str) -> Settings:
    return Settings(_env_file=None, mongodb_url=url, mongodb_database=DATABASE)


if __name__ == "__main__":
    main()
