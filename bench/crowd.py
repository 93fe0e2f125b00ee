"""Many calls at once with the shipped Whisper: how long callers wait, what they miss, and what it costs the machine.

    python -m bench.crowd [--calls 20] [--seconds 180]

Callers, carrier and vendors' simulators share the machine with the product, in one process; what they say is
synthesised beforehand, the agent's part by a call that is not counted, so that they cost little (shown). The call
actors measure the lag of their own event loops; it is read from their snapshots while the calls run. Target: no
utterance without a turn in the log.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.conversation import Conversation, Pace, Product, arguments, load, pace_of, product, world
from bench.first_call import SENTENCES
from bench.processes import by_part, members
from bench.spread import Spread, in_ms, of
from bench.talk import answer, lines, script
from cli.embedded.ray import ray_environment
from models.settings import REPOSITORY
from simulators.caller import rehearsed
from simulators.words import is_early, stored_for, word_errors

LAG_EVERY_S = 10.0
PARTS = ("ingress", "replicas", "call actors", "speech to text")


@dataclass(frozen=True, slots=True)
class Load:
    """CPU seconds so far."""

    parts: Mapping[str, float]
    simulators: float
    machine: float


@dataclass(frozen=True, slots=True)
class Run:
    """The calls of one run, and the cores each part used on average."""

    calls: Sequence[Conversation]
    cores: Mapping[str, float]


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--calls", type=int, default=20, help="at the same time")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long each talks")
    options = parser.parse_args()
    with product(call_slots=options.calls) as deployed:
        lags = deployed.settings.callboard_data_dir / "lags.jsonl"
        with _watching(deployed, lags):
            run = asyncio.run(_measure(deployed, pace_of(options), options.calls, options.seconds))
        print(f"{options.calls} calls of {options.seconds:g} s at once, {pace_of(options)}; {load()} at their end")
        _print(run, _lags(lags, {str(call.call.session_id) for call in run.calls}))


async def _measure(deployed: Product, pace: Pace, calls: int, seconds: float) -> Run:
    async with world(deployed, pace, answer=answer) as made:
        agent = await made.agent()
        await made.call(agent, script(0, SENTENCES))
        scripts = [script(seed, lines(seed, seconds), lasts_s=seconds) for seed in range(calls)]
        for each in scripts:
            await rehearsed(each)
        before, began = _load(deployed), time.monotonic()
        found = await made.calls([(agent, each) for each in scripts], at_once=calls)
        after, took_s = _load(deployed), time.monotonic() - began
    cores = {part: (after.parts[part] - before.parts[part]) / took_s for part in PARTS}
    cores["simulators"] = (after.simulators - before.simulators) / took_s
    cores["the machine in all"] = (after.machine - before.machine) / took_s
    return Run(found, cores)


# --- what it costs -------------------------------------------------------------------------------------
def _load(deployed: Product) -> Load:
    used = by_part(members(deployed.children))
    parts = {part: sum(each.cpu_s for each in used.get(part, ())) for part in PARTS}
    machine = psutil.cpu_times()
    return Load(parts, time.process_time(), sum(machine) - machine.idle - machine.iowait)


@contextlib.contextmanager
def _watching(deployed: Product, lags: Path) -> Iterator[None]:
    """A driver of Ray, in a process of its own, that writes the actors' lags down until the context is left."""
    settings = deployed.settings
    with lags.open("w") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bench.loop_lag",
                str(settings.ray_address),
                settings.ray_namespace,
                str(LAG_EVERY_S),
            ],
            env={**os.environ, **ray_environment(settings), "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=out,
            cwd=REPOSITORY,
        )
    try:
        yield
    finally:
        process.communicate()


def _lags(path: Path, sessions: set[str]) -> list[dict[str, float]]:
    """The last lag of each of these sessions."""
    last: dict[str, dict[str, float]] = {}
    for line in path.read_text().splitlines():
        seen = json.loads(line)
        if seen["sessionId"] in sessions:
            last[seen["sessionId"]] = seen["loopLagMs"]
    return list(last.values())


# --- what it came to -----------------------------------------------------------------------------------
def _print(run: Run, lags: Sequence[Mapping[str, float]]) -> None:
    reports = [call.report for call in run.calls]
    replies = [reply for report in reports for reply in report.replies]
    gaps = Spread([gap.seconds * 1000 for report in reports for gap in report.gaps])
    print(f"  turns {len(replies)}, unanswered {sum(r.arrived_s is None and r.early_s is None for r in replies)}")
    print(f"  end of speech to first reply byte   {in_ms([reply.arrived_s for reply in replies])}")
    print(f"  end of speech to first sound heard  {in_ms([reply.audible_s for reply in replies])}")
    p99 = f", p99 {gaps.quantile(0.99):.0f} ms" if gaps.all_ms else ""
    print(f"  gaps in the agent's speech          {gaps}{p99}")
    _print_words(run.calls)
    ended = sum(report.end_reason != "caller" for report in reports)
    violations = sum(len(report.violations) for report in reports)
    print(f"  chunk rule violations {violations}, calls the platform ended {ended}")
    print(f"  latest frame of a caller's {max(report.latest_frame_s for report in reports) * 1000:.0f} ms late")
    _print_lags(lags)
    print("  cores used: " + ", ".join(f"{part} {cores:.2f}" for part, cores in run.cores.items()))


def _print_lags(lags: Sequence[Mapping[str, float]]) -> None:
    if not lags:
        print("  event-loop lag: the call actors do not report it")
        return
    usual = Spread([lag["p50"] for lag in lags]).quantile(0.5)
    worst, longest = (max(lag[name] for lag in lags) for name in ("p99", "max"))
    print(
        f"  event-loop lag of {len(lags)} call actors, ms: median {usual:.1f}, worst p99 {worst:.1f}, max {longest:.1f}"
    )


def _print_words(calls: Sequence[Conversation]) -> None:
    errors = words = lost = early = utterances = 0
    for call in calls:
        said = call.report.utterances
        for utterance, reply, turns in zip(said, call.report.replies, stored_for(said, call.stored), strict=True):
            wrong, spoken = word_errors(utterance.text, " ".join(turn.text for turn in turns))
            errors, words, utterances = errors + wrong, words + spoken, utterances + 1
            lost += not turns
            early += reply.early_s is not None or is_early(utterance, turns)
    print(
        f"  utterances without a turn in the log {of(lost, utterances)}, false early endpoints {of(early, utterances)}"
    )
    print(f"  words wrong in the log {of(errors, words)}")


if __name__ == "__main__":
    main()
