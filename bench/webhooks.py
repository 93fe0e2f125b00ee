"""Whether webhooks are told what they are owed while receivers, or the product's own processes, are in trouble.

    python -m bench.webhooks [--calls 8] [--down-s 60] [--slow-s 5] [--kills 3] [--only down redirect]

The whole product is deployed with two replicas; calls are answered, and hung up a second later. One row for each case,
printed when it is done. `owed` is counted from the logs of the calls; each event is to be taken, `lost` counts those
that never were, `strange` those that no log owes, `repeated` those taken again, `disordered` those taken before one of
the same call that comes first. `genuine` is what docs/examples/verify_webhook.py says of every request that came,
and the longest delay from an event to its being taken for the first time.

The receiver listens at 127.0.0.2, the only address on loopback that webhooks may go to. In the case `redirect` it sends
them on to 127.0.0.1, where nothing may arrive; once it has mended its ways, all that failed is replayed. In the case
`killed` a replica gets SIGKILL just when a call has ended, the last time all of them at once.
"""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.conversation import Product, load, product
from bench.customer import AGAIN_S, Customer, customer
from bench.processes import members
from bench.table import Column, Table
from bench.victims import slay
from bench.webhook_receiver import HOST, Answers, Receiver, verified
from bench.webhook_tally import Tally, tally
from cli.embedded.ports import free_port
from models.call import Call
from models.webhook import EVENT_TYPES
from simulators.carrier import CarrierCall

SECRET = "my-secret-key"
OVER_S = 100.0
"""Logs of calls whose replica died are closed within this."""
TOLD_S = 100.0
SEEN = 4
"""Nothing is on its way when it looks so that many times in a row, longer than a sweep takes to come."""
KILLED_WITHIN_S = 0.5
"""After the end of a call: its events are being found, stored and sent."""
UNDER_WAY_S = 0.4
"""Answers take so long where replicas die, so that some die over them."""
PAUSE_S = 6.0
"""Between a kill and the wait for the next."""
BACK_S = 60.0
COLUMNS = (
    Column("case", 10, is_text=True),
    Column("calls", 5),
    Column("owed", 5),
    Column("taken", 5),
    Column("lost", 5),
    Column("strange", 7),
    Column("repeated", 8),
    Column("disordered", 10),
    Column("genuine", 9),
    Column("longest s", 9),
)


@dataclass
class Trial:
    """One case: the customer, a receiver of its own, and what came of it."""

    customer: Customer
    options: argparse.Namespace
    deployed: Product
    ended: asyncio.Event
    """Set whenever a call has ended at the carrier."""
    receiver: Receiver = field(default_factory=lambda: Receiver(port=free_port()))
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    endpoint_id: str = ""
    remarks: list[str] = field(default_factory=list)

    async def calls(self, count: int, *, at_once: int = 2) -> None:
        """So many calls, from their orders to their ends."""
        slots = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with slots:
                await self.customer.call()

        await asyncio.gather(*(one() for _ in range(count)))

    async def told(self) -> list[Call]:
        """The calls, once all are over and everything they owe was taken, or is given up, or the time is up."""
        calls = await self.customer.over_since(self.began, OVER_S)
        give_up, seen = time.monotonic() + TOLD_S, 0
        while time.monotonic() < give_up and seen < SEEN:
            await asyncio.sleep(AGAIN_S)
            calls = await self.customer.calls_since(self.began)  # a recording may be news after the end
            is_told = not tally(calls, self.receiver.got).lost or await self.logged("dead")
            seen = seen + 1 if is_told and not await self.logged("pending") else 0
        return calls

    async def logged(self, status: str) -> int:
        """How many deliveries the log has of a status."""
        page = await self._log(status, limit=1)
        return int(page["pagination"]["total"])

    async def reasons(self) -> set[str]:
        """Why deliveries are dead."""
        return {each["error"] for each in (await self._log("dead", limit=100))["deliveries"]}

    async def _log(self, status: str, *, limit: int) -> dict[str, Any]:
        path = f"/webhook-endpoints/{self.endpoint_id}/logs?status={status}&limit={limit}"
        while True:
            try:
                return await self.customer.ask("GET", path)
            except httpx.HTTPError:  # a replica is being replaced
                await asyncio.sleep(AGAIN_S)


# --- the cases ----------------------------------------------------------------------------------------
async def up(trial: Trial) -> list[Call]:
    """Nothing is wrong."""
    async with trial.receiver.up():
        await trial.calls(trial.options.calls)
        return await trial.told()


async def down(trial: Trial) -> list[Call]:
    """Nobody is there for a while."""
    back_at = time.monotonic() + trial.options.down_s
    await trial.calls(trial.options.calls)
    await asyncio.sleep(back_at - time.monotonic())
    async with trial.receiver.up():
        return await trial.told()


async def slow(trial: Trial) -> list[Call]:
    """Each answer takes long."""
    trial.receiver.answers = Answers(delay_s=trial.options.slow_s)
    async with trial.receiver.up():
        await trial.calls(trial.options.calls)
        return await trial.told()


async def redirect(trial: Trial) -> list[Call]:
    """Elsewhere, says the receiver; where it means, nothing may arrive."""
    inside = Receiver(host="127.0.0.1", port=free_port())
    async with trial.receiver.up(), inside.up() as address:
        trial.receiver.answers = Answers(status=302, location=address)
        await trial.calls(trial.options.calls)
        await trial.told()
        refused = await trial.logged("dead")
        trial.remarks.append(f"refused {refused} ({', '.join(await trial.reasons())}), followed {len(inside.got)}")
        trial.remarks.append(f"an endpoint at {address}: {await _refusal(trial.customer, address)}")
        trial.receiver.answers = Answers()
        replayed = await trial.customer.ask("POST", f"/webhook-endpoints/{trial.endpoint_id}/replay")
        trial.remarks.append(f"replayed {replayed['replayed']}")
        calls = await trial.told()
    trial.remarks.append(f"followed in the end {len(inside.got)}")
    return calls


async def killed(trial: Trial) -> list[Call]:
    """Replicas die just when calls end."""
    is_over = asyncio.Event()

    async def calling() -> None:
        while not is_over.is_set():
            await trial.customer.call()

    trial.receiver.answers = Answers(delay_s=UNDER_WAY_S)
    async with trial.receiver.up():
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(calling())
            for number in range(trial.options.kills):
                trial.ended.clear()
                async with asyncio.timeout(BACK_S):
                    await trial.ended.wait()
                await asyncio.sleep(random.uniform(0, KILLED_WITHIN_S))
                await _kill(trial, all_of_them=number == trial.options.kills - 1)
                await asyncio.sleep(PAUSE_S)
            is_over.set()
        return await trial.told()


CASES: Mapping[str, Callable[[Trial], Awaitable[list[Call]]]] = {
    each.__name__: each for each in (up, down, slow, redirect, killed)
}


async def _refusal(who: Customer, url: str) -> str:
    """What is said of an address that an endpoint may not have."""
    try:
        await who.ask("POST", "/webhook-endpoints", _endpoint(url))
    except httpx.HTTPStatusError as error:
        return f"HTTP status {error.response.status_code}"
    return "TAKEN"


async def _kill(trial: Trial, *, all_of_them: bool) -> None:
    """SIGKILL; waits for replicas that are not there yet."""
    give_up = time.monotonic() + BACK_S
    wanted = trial.deployed.settings.serve_replicas if all_of_them else 1
    while time.monotonic() < give_up:
        found = await asyncio.to_thread(members, trial.deployed.children)
        pids = [each.pid for each in found if each.part == "replicas"]
        if len(pids) >= wanted:
            slay(set(random.sample(pids, wanted)))
            trial.remarks.append(f"killed {wanted} of {len(pids)}")
            return
        await asyncio.sleep(AGAIN_S)


# --- a row ----------------------------------------------------------------------------------------------
async def run(
    deployed: Product,
    names: Sequence[str],
    options: argparse.Namespace,
    on_row: Callable[[Trial, Sequence[object]], None],
) -> None:
    """Every case, one after the other."""
    ended = asyncio.Event()

    def on_end(call: CarrierCall) -> None:
        ended.set()

    async with customer(deployed, on_end=on_end) as who:
        await who.call()  # what is slow the first time is not the cases' matter
        for name in names:
            trial = Trial(who, options, deployed, ended)
            async with _told_of_everything(trial):
                calls = await CASES[name](trial)
                found, genuine = tally(calls, trial.receiver.got), await verified(trial.receiver.got, SECRET)
            on_row(trial, _cells(name, calls, found, f"{genuine}/{len(trial.receiver.got)}"))


def _cells(name: str, calls: Sequence[Call], found: Tally, genuine: str) -> list[object]:
    counted = (found.owed, found.taken, found.lost, found.strange, found.repeated, found.disordered)
    return [name, len(calls), *counted, genuine, found.longest_s]


@asynccontextmanager
async def _told_of_everything(trial: Trial) -> AsyncIterator[None]:
    """The trial's receiver is an endpoint while the context lasts."""
    async with AsyncExitStack() as leaving:
        made = await trial.customer.ask("POST", "/webhook-endpoints", _endpoint(trial.receiver.url))
        trial.endpoint_id = made["webhook"]["_id"]
        leaving.push_async_callback(trial.customer.ask, "DELETE", f"/webhook-endpoints/{trial.endpoint_id}")
        # Times are kept in milliseconds, and only what happens from now on is told.
        await asyncio.sleep(0.01)
        trial.began = datetime.now(UTC) - timedelta(milliseconds=1)
        yield


def _endpoint(url: str) -> dict[str, object]:
    return {"name": "Bench", "url": url, "events": list(EVENT_TYPES), "secret": SECRET}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--down-s", type=float, default=60.0)
    parser.add_argument("--slow-s", type=float, default=5.0)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    settings = {"call_slots": 4, "serve_replicas": 2, "ring_timeout_s": 15, "webhook_allowed_targets": HOST}
    with product(**settings) as deployed:
        table = Table(COLUMNS)

        def show(trial: Trial, cells: Sequence[object]) -> None:
            table.row(*cells)
            for remark in trial.remarks:
                print(f"    {remark}", flush=True)

        asyncio.run(run(deployed, options.only, options, show))
        print(f"{load()} at the end")


if __name__ == "__main__":
    main()
