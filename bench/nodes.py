"""Several Ray nodes on one machine: where calls go, and what is lost when a node dies under them.

    python -m bench.nodes [--nodes 2 3] [--calls 8] [--times 5]

A table for each number of nodes. All but the first join a running product, and are what is killed: every process of one
of them gets SIGKILL, and another node takes its place. Each node has room for all calls; the ingress is on the first,
and there are as many replicas as nodes. Columns as in `bench.faults`; before each kill the calls of each node are
printed, by the actors that carry them (a call whose replica was on the dead node is lost with it, too).
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter

import psutil

from bench import talk
from bench.conversation import Pace, Product, World, arguments, load, pace_of, product, world
from bench.faults import add_measures
from bench.first_call import SENTENCES
from bench.ordeal import COLUMNS, Ordeal, endure, show
from bench.processes import below
from bench.table import Table
from bench.victims import NOTHING, slay
from cli.child import Child, Restart
from cli.embedded.ray import ray_environment
from cli.errors import StartFailed, log_tail
from models.settings import REPOSITORY, Settings
from stores.calls import Still

SPARE = 2
WARM = 2
"""Call actors each node keeps warm; more when calls come."""
JOIN_S = 90.0
LOOK_S = 0.5
WARM_UP_S = 5.0
"""From an actor's process to its being warm, at least."""


class Nodes:
    """The nodes besides the first, each a child of its own with a name never used before."""

    def __init__(self, deployed: Product) -> None:
        self._deployed = deployed
        self._started = 0
        self._names: list[str] = []

    async def add(self) -> None:
        """One more; returns when the product has call actors there. Raises StartFailed when it never does."""
        self._started += 1
        name = f"ray-{self._started}"
        began = time.monotonic()
        await asyncio.to_thread(self._deployed.children.start, node_child(name, self._deployed.settings))
        self._names.append(name)
        while self._parts(name)["call actors"] < WARM:
            if time.monotonic() > began + JOIN_S:
                log = self._deployed.settings.callboard_data_dir / "logs" / f"{name}.log"
                raise StartFailed(f"{name} did not join: {log_tail(log)}")
            await asyncio.sleep(LOOK_S)
        await asyncio.sleep(WARM_UP_S)
        print(f"    {name} carries calls {time.monotonic() - began:.0f} s after it was started", flush=True)

    def kill(self) -> float:
        """Kill one of them and say when (monotonic)."""
        name = self._names.pop(random.randrange(len(self._names)))
        pid = self._deployed.children.pid(name)
        if pid is None:
            raise RuntimeError(f"{name} has died by itself")
        processes = {pid, *(each.pid for each in psutil.Process(pid).children(recursive=True))}
        slay(processes)
        print(f"    killed {name}: {len(processes)} processes", flush=True)
        return time.monotonic()

    def _parts(self, name: str) -> Counter[str]:
        pid = self._deployed.children.pid(name)
        return Counter() if pid is None else Counter(member.part for member in below(pid))


def node_child(name: str, settings: Settings) -> Child:
    """A node of the embedded Ray, on the same loopback; nobody starts it again."""
    resources = json.dumps({"call_slots": settings.call_slots})
    return Child(
        name=name,
        command=(sys.executable, "-m", "bench.ray_node", str(settings.ray_address), resources),
        setting="RAY_ADDRESS",
        env={**ray_environment(settings), "PYTHONPATH": str(REPOSITORY)},
        restart=Restart.DONE,
        stop_grace_s=6.0,
    )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    add_measures(parser, times=5, every=20.0)
    parser.add_argument("--nodes", type=int, nargs="+", default=[2, 3])
    options = parser.parse_args()
    for count in options.nodes:
        chosen = {"call_slots": options.calls + SPARE, "call_idle_min": WARM, "serve_replicas": count}
        with product(**chosen, serve_proxies="head-only") as deployed:
            asyncio.run(_measure(deployed, pace_of(options), count, options))
            print(f"{count} nodes, {pace_of(options)}; {load()} at the end")


async def _measure(deployed: Product, pace: Pace, count: int, options: argparse.Namespace) -> None:
    await talk.rehearse()
    nodes = Nodes(deployed)
    for _ in range(count - 1):
        await nodes.add()
    async with world(deployed, pace, answer=talk.answer) as made:
        agent = await made.agent()
        await made.call(agent, talk.script(0, SENTENCES[:3]))
        table = Table(COLUMNS)
        for name in (NOTHING, "node"):
            ordeal = Ordeal(name, _Killer(name, nodes, made).kill, options.times, options.calls, options.every)
            show(table, ordeal, await endure(made, agent, ordeal))


class _Killer:
    """Shows the calls of each node, and then kills one, unless nobody is to die. The dead node is replaced first."""

    def __init__(self, name: str, nodes: Nodes, made: World) -> None:
        self._name = name
        self._nodes = nodes
        self._made = made
        self._is_one_short = False

    async def kill(self, live: int) -> float | None:
        """As `ordeal.Kill`."""
        if self._is_one_short:
            await self._nodes.add()
        print(f"    calls by node: {await self._spread()}", flush=True)
        if self._name == NOTHING:
            return time.monotonic()
        self._is_one_short = True
        return self._nodes.kill()

    async def _spread(self) -> str:
        carried = await self._made.stores.calls.stale(Still(carried=True))
        counts = Counter(call.lease.actor.split(":")[1] for call in carried if call.lease is not None)
        return ", ".join(f"{node} {count}" for node, count in sorted(counts.items()))


if __name__ == "__main__":
    main()
