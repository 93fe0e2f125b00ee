"""Calls come faster and faster until the machine is full: what callers hear at each step, and what a call costs.

    python -m bench.ramp [--up-to 32] [--step 4] [--hold 60] [--stt off] [--profile]

Each call lasts about two steps and is followed by another caller, so that with the number of calls the rate
of their arrival rises. A turn counts from the end of the caller's speech to the first byte of the answer at the
carrier; a gap is the longest hole in one stretch of the agent's speech. The highest number of calls is the last step
before one with a turn p95 of more than 1 s, a gap p99 of more than 40 ms, or a caller cut off.

`--stt off` puts a network of next to no size in the place of the shipped Whisper, which hears "yes please" in whatever
is said: requests, voice activity and turn taking are as before, and recognising costs next to nothing. `--profile` says
of the last step what the parts' threads and functions spend their time on (py-spy, where it is installed).

Callers, carrier and vendors' simulators are on the same machine; their share is shown. The call actors are started
ahead of demand as in production, with the default of `call_idle_min`.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench import talk
from bench.conversation import Pace, Product, arguments, load, pace_of, product, world
from bench.first_call import SENTENCES
from bench.live_calls import LiveCalls
from bench.numbers_page import Numbers, numbers
from bench.processes import OTHERS, by_part, members
from bench.profiling import profile
from bench.random_whisper import write_parrot
from bench.steps import Step, heard, highest
from bench.table import Column, Table
from models.settings import Settings
from simulators.report import CallReport
from simulators.steps import Script

SPARE = 2
SETTLE_S = 10.0
"""From a step's beginning until its calls have come; what is heard from then on counts."""
FINAL_S = 60.0
COLD_MS = 500.0
"""A lease that takes longer had to wait for an actor to start: none starts faster."""
SHOWN = ("call actors", "replicas", "ingress", "speech to text", "pools", "mongodb", "redis", OTHERS)
COLUMNS = tuple(
    Column(title, 5)
    for title in ("calls", "turns", "p50 ms", "p95 ms", "silent", "gap p99", "gap max", "lost", *SHOWN, "simulators")
)


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of the machine by then: CPU seconds and seconds of waiting for a core, by part."""

    at: float
    cpu_s: Mapping[str, float]
    waited_s: Mapping[str, float]
    machine_s: float
    actor_mb: float
    """PSS of a call actor, on average."""
    product_mb: float


@dataclass(slots=True)
class Run:
    """All steps, what was used in each, and what is known of it afterwards."""

    steps: list[tuple[Step, Used, Used]] = field(default_factory=list)
    reports: list[CallReport] = field(default_factory=list)
    refused: int = 0
    numbers: Numbers = field(default_factory=Numbers)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--up-to", type=int, default=32, help="calls at the same time in the last step")
    parser.add_argument("--step", type=int, default=4, help="more calls with each step")
    parser.add_argument("--hold", type=float, default=60.0, help="seconds of a step")
    parser.add_argument("--stt", choices=("shipped", "off"), default="shipped")
    parser.add_argument("--idle", type=int, default=Settings.model_fields["call_idle_min"].default, help="kept warm")
    parser.add_argument("--profile", action="store_true", help="say what the last step's time was spent on")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="callboard-whisper-") as directory:
        chosen: dict[str, object] = {"call_slots": options.up_to + SPARE, "call_idle_min": options.idle}
        if options.stt == "off":
            chosen["stt_model"] = str(write_parrot(Path(directory)))
        with product(**chosen) as deployed:
            run = asyncio.run(_measure(deployed, pace_of(options), options))
            print(f"{pace_of(options)}, speech to text {options.stt}; {load()} at the end")
    _print(run)


async def _measure(deployed: Product, pace: Pace, options: argparse.Namespace) -> Run:
    await talk.rehearse()
    run = Run()
    async with world(deployed, pace, answer=talk.answer) as made, asyncio.TaskGroup() as group:
        agent = await made.agent()
        await made.call(agent, talk.script(0, SENTENCES[: len(talk.ANSWERS)]))
        live = LiveCalls(made, agent, lambda number: _script(number, options.hold), apart_s=0.5)
        placing = group.create_task(live.run())
        try:
            for calls in range(options.step, options.up_to + 1, options.step):
                live.wanted = calls
                is_last = calls + options.step > options.up_to
                run.steps.append(await _step(deployed, calls, options.hold, profiled=options.profile and is_last))
                print(f"    {live.talking} calls, {len(live.refusals)} orders refused so far; {load()}", flush=True)
            run.numbers = await asyncio.to_thread(numbers, deployed.settings.callboard_data_dir)
        finally:
            live.finish()
        await placing
        run.reports = [held.report for held in live.all if held.report is not None]
        run.refused = len(live.refusals)
    return run


def _script(number: int, hold_s: float) -> Script:
    return talk.conversation(number, random.Random(number).uniform(1.5 * hold_s, 2.5 * hold_s))


async def _step(deployed: Product, calls: int, hold_s: float, *, profiled: bool) -> tuple[Step, Used, Used]:
    """Wait for more calls, and see what they use of the machine once they are there."""
    await asyncio.sleep(SETTLE_S)
    before = await asyncio.to_thread(_used, deployed)
    if profiled:
        await asyncio.to_thread(profile, members(deployed.children))
    await asyncio.sleep(max(0.0, before.at + hold_s - SETTLE_S - time.monotonic()))
    after = await asyncio.to_thread(_used, deployed)
    return Step(calls, before.at, after.at), before, after


def _used(deployed: Product) -> Used:
    parts = by_part(members(deployed.children))
    actors = [used.pss_bytes for used in parts.get("call actors", ())]
    machine = psutil.cpu_times()
    return Used(
        time.monotonic(),
        {part: sum(each.cpu_s for each in used) for part, used in parts.items()} | {"simulators": time.process_time()},
        {part: sum(each.waited_s for each in used) for part, used in parts.items()},
        sum(machine) - machine.idle - machine.iowait,
        sum(actors) / max(1, len(actors)) / 1e6,
        sum(each.pss_bytes for used in parts.values() for each in used) / 1e6,
    )


# --- what it came to -----------------------------------------------------------------------------------
def _print(run: Run) -> None:
    found = [(step, heard(run.reports, step)) for step, _, _ in run.steps]
    print("cores used by each part while so many calls were live:")
    table = Table(COLUMNS)
    for (step, what), (_, before, after) in zip(found, run.steps, strict=True):
        cores = [_cores(before, after, part) for part in (*SHOWN, "simulators")]
        p50, p95 = (round(what.turns.quantile(share)) if what.turns.all_ms else None for share in (0.5, 0.95))
        gaps = [round(what.gaps.quantile(share)) if what.gaps.all_ms else None for share in (0.99, 1.0)]
        table.row(step.calls, len(what.turns.all_ms), p50, p95, what.unanswered, *gaps, what.broken, *cores)
    print(f"highest number of calls with turn p95 <= 1 s and gap p99 <= 40 ms: {highest(found)}")
    for step, before, after in run.steps:
        _print_costs(step, before, after)
    _print_leases(run)


def _print_costs(step: Step, before: Used, after: Used) -> None:
    """What a call costs in all, and how long threads that wanted to run waited for a core."""
    product = sum(_cores(before, after, part) for part in after.cpu_s if part != "simulators")
    machine = (after.machine_s - before.machine_s) / (after.at - before.at)
    waits = {part: _rate(before, after, after.waited_s[part], before.waited_s.get(part)) for part in after.waited_s}
    longest = ", ".join(f"{part} {wait:.2f}" for part, wait in sorted(waits.items(), key=lambda each: -each[1])[:3])
    print(
        f"  {step.calls} calls: {product / step.calls:.1%} of a core each, machine {machine:.2f} cores; PSS "
        f"{after.actor_mb:.0f} MB a call actor, product {after.product_mb:.0f} MB; "
        f"threads waiting for a core, on average: {longest}"
    )


def _cores(before: Used, after: Used, part: str) -> float:
    return _rate(before, after, after.cpu_s.get(part, 0.0), before.cpu_s.get(part))


def _rate(before: Used, after: Used, now: float, then: float | None) -> float:
    """Per second; processes that ended meanwhile take their share with them."""
    return max(0.0, now - (then or 0.0)) / (after.at - before.at)


def _print_leases(run: Run) -> None:
    leases, starts = run.numbers.histogram("pool_lease_ms"), run.numbers.histogram("pool_start_ms")
    refused = run.numbers.total("calls_refused_total")
    if not leases.count:
        print("leases: the product exports no pool_lease_ms")
    else:
        print(
            f"leases {leases.count}: p50 <= {leases.quantile(0.5):g} ms, p99 <= {leases.quantile(0.99):g} ms; "
            f"cold starts while somebody waited {leases.above(COLD_MS)}; "
            f"actors started {starts.count}, p50 <= {starts.quantile(0.5):g} ms"
        )
    print(f"orders refused {run.refused}, calls refused by the product's own count {refused or 0:g}")


if __name__ == "__main__":
    main()
