"""What callers, logs and ledger lose when a process of the product is killed under live calls.

    python -m bench.faults [--times 20] [--calls 8] [--only "call actor" redis]

One row for each victim, printed when it is done: every time all calls are talking, it gets SIGKILL and comes back by
itself. `calls` is how many there were in all, `affected` how many of those live at a kill had a silence of more than
2 s, a hole of 0.2 s in the agent's speech, something unusual said to them, or were lost; `lost` those that ended before
their caller hung up; `refused` orders and sockets that were not taken. The longest gap is silence while the caller
waited for the agent, within 15 s of a kill; `held` are micro-credits still set aside once all calls are over. The row
`nothing` kills nobody: what the others are to be compared with. A row of 20 kills takes about six minutes.
"""

import argparse
import asyncio
from collections.abc import Sequence

from bench import talk
from bench.conversation import Pace, Product, arguments, load, pace_of, product, world
from bench.first_call import SENTENCES
from bench.numbers_page import numbers
from bench.ordeal import COLUMNS, Ordeal, endure, show
from bench.table import Table
from bench.victims import VICTIMS, Victim

SPARE = 2
"""Warm call actors besides those in calls; one that is killed is followed by a new one."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    add_measures(parser)
    parser.add_argument("--only", nargs="+", choices=list(VICTIMS), default=list(VICTIMS))
    parser.add_argument("--stt-workers", type=int, default=2, help="with one, callers wait until it is back")
    options = parser.parse_args()
    slots = options.calls + SPARE
    with product(call_slots=slots, stt_workers=options.stt_workers) as deployed:
        asyncio.run(_measure(deployed, pace_of(options), options.only, options))
        print(f"{pace_of(options)}; {options.stt_workers} speech-to-text workers; {load()} at the end")


def add_measures(parser: argparse.ArgumentParser, *, times: int = 20, calls: int = 8, every: float = 15.0) -> None:
    """How often, under how many calls, and how far apart."""
    parser.add_argument("--times", type=int, default=times, help="kills for each row")
    parser.add_argument("--calls", type=int, default=calls, help="live at each of them")
    parser.add_argument("--every", type=float, default=every, help="about so many seconds between kills")


async def _measure(deployed: Product, pace: Pace, names: Sequence[str], options: argparse.Namespace) -> None:
    await talk.rehearse()
    async with world(deployed, pace, answer=talk.answer) as made:
        agent = await made.agent()
        await made.call(agent, talk.script(0, SENTENCES[:3]))
        table = Table(COLUMNS)
        for name in names:
            victim = Victim(name, deployed.children)
            ordeal = Ordeal(name, victim.kill, options.times, options.calls, options.every)
            before = await _taken_over(deployed)
            show(table, ordeal, await endure(made, agent, ordeal))
            print(f"    calls that another call actor took over: {await _taken_over(deployed) - before:g}", flush=True)


async def _taken_over(deployed: Product) -> float:
    """How many so far, by the product's own count."""
    found = await asyncio.to_thread(numbers, deployed.settings.callboard_data_dir)
    return found.total("calls_resumed_total") or 0.0


if __name__ == "__main__":
    main()
