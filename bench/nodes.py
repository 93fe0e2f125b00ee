"""Several Ray nodes on one machine: where calls go, and what is lost when a node dies under them.

    python -m bench.nodes [--nodes 2 3] [--calls 8] [--times 5]

A table for each number of nodes, a row for each time the product is started on so many: with one replica and, where Ray
spreads them well, one speech-to-text worker a node, and room for all calls on each. Once all calls are up, they are
counted by the node of the actor that carries them, and every process of one node gets SIGKILL, never the first's, which
has the ingress. Columns as in `bench.faults`; a call is lost with the node that had its replica, and goes on when only
its actor was there.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

import psutil

from bench import talk
from bench.conversation import Pace, Product, World, arguments, load, pace_of, product, world
from bench.faults import add_measures
from bench.first_call import SENTENCES
from bench.ordeal import COLUMNS, Ordeal, endure, show
from bench.processes import below
from bench.ray_node import JOINED
from bench.table import Table
from bench.victims import slay
from cli.background import Background
from cli.child import Child, Restart
from cli.embedded.ray import ray_environment
from models.settings import REPOSITORY, Settings
from stores.calls import Still

SPARE = 2
WARM = 4
"""Call actors each node keeps warm; more when calls come."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    add_measures(parser, times=5, every=20.0)
    parser.add_argument("--nodes", type=int, nargs="+", default=[2, 3])
    options = parser.parse_args()
    for count in options.nodes:
        print(f"{count} nodes, {pace_of(options)}; {load()} at the beginning")
        table = Table(COLUMNS)
        others = [f"ray-{number}" for number in range(1, count)]
        for _ in range(options.times):
            with product(
                partial(_join, others),
                call_slots=options.calls + SPARE,
                call_idle_min=WARM,
                serve_replicas=count,
                stt_workers=count,
                serve_proxies="head-only",
            ) as deployed:
                asyncio.run(_measure(deployed, pace_of(options), table, others, options))


def _join(others: Sequence[str], settings: Settings, children: Background) -> None:
    for name in others:
        children.start(node_child(name, settings))


def node_child(name: str, settings: Settings) -> Child:
    """A node of the embedded Ray, on the same loopback; nobody starts it again."""
    log = settings.callboard_data_dir / "logs" / f"{name}.log"

    async def ready() -> bool:
        return JOINED in log.read_text()

    return Child(
        name=name,
        command=(
            *(sys.executable, "-m", "bench.ray_node", str(settings.ray_address)),
            json.dumps({"call_slots": settings.call_slots}),
        ),
        setting="RAY_ADDRESS",
        env={**ray_environment(settings), "PYTHONPATH": str(REPOSITORY)},
        ready=ready,
        ready_timeout_s=60.0,
        restart=Restart.DONE,
        stop_grace_s=6.0,
    )


async def _measure(
    deployed: Product, pace: Pace, table: Table, others: Sequence[str], options: argparse.Namespace
) -> None:
    await talk.rehearse()
    async with world(deployed, pace, answer=talk.answer) as made:
        agent = await made.agent()
        await made.call(agent, talk.script(0, SENTENCES[:3]))

        async def kill(live: int) -> float:
            print(f"    calls by node: {await _spread(made)}", flush=True)
            return _kill_node(deployed.children, random.choice(others))

        ordeal = Ordeal("node", kill, 1, options.calls, options.every)
        show(table, ordeal, await endure(made, agent, ordeal))


async def _spread(made: World) -> str:
    """How many calls are with the actors of each node."""
    carried = await made.stores.calls.stale(Still(carried=True))
    counts = Counter(call.lease.actor.split(":")[1] for call in carried if call.lease is not None)
    return ", ".join(f"{node} {count}" for node, count in sorted(counts.items()))


def _kill_node(children: Background, name: str) -> float:
    """Kill all of a node's processes at once, and say when (monotonic)."""
    pid = children.pid(name)
    if pid is None:
        raise RuntimeError(f"{name} has died by itself")
    parts = Counter(member.part for member in below(pid))
    slay({pid, *(process.pid for process in psutil.Process(pid).children(recursive=True))})
    print(f"    killed {name} with " + ", ".join(f"{count} {part}" for part, count in parts.items()), flush=True)
    return time.monotonic()


if __name__ == "__main__":
    main()
