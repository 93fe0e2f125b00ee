"""How long a media frame takes from the carrier through HAProxy, replica and call actor and back, and what it costs.

    python -m bench.media_path [--seconds 10] [--calls 1 20]

Everything is the real thing but the driver, which echoes. The CPU figures come from /proc; the carriers run in a
process of their own and are not counted. Target on a quiet machine: p99 of 5 ms or less at one call.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import psutil

from bench.stack import running
from cli.child import Child
from cli.serve_child import serve_child
from models.agent import AgentConfig, Llm, Voice
from models.call import Call, SessionId
from models.document import new_id
from models.settings import REPOSITORY, Settings
from services.call_addresses import CallAddresses
from stores.mongo import connect, database
from stores.repositories import Repositories

FRAMES_PER_S = 50
CARRIERS_S = 60.0
DEPLOY_S = 600.0
IDLE_S = 5.0
SETTLE_S = 15.0
"""Serve answers as soon as one replica does; the others are still starting then."""
PARTS = {"proxy": "haproxy", "replicas": "ray::ServeReplica", "call actors": "ray::CallSession"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 20])
    chosen = parser.parse_args()
    with running(_echo, call_slots=max(chosen.calls)) as (settings, children):
        ray_pid = children.pid("ray") or 0
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the first run")
        idle = _idle(ray_pid)
        for calls in chosen.calls:
            _measure(settings, ray_pid, idle, calls, chosen.seconds)


def _echo(settings: Settings) -> Child:
    """The product with the echo as driver."""
    child = replace(serve_child(settings, local_ray=True), command=(sys.executable, "-m", "bench.serve_echo"))
    return replace(child, ready_timeout_s=DEPLOY_S, stop_grace_s=20.0)


def _idle(ray_pid: int) -> dict[str, float]:
    """What the parts use when there is no call, in CPU seconds per second."""
    time.sleep(SETTLE_S)
    before = _cpu(ray_pid)
    time.sleep(IDLE_S)
    after = _cpu(ray_pid)
    idle = {part: (after[part] - before[part]) / IDLE_S for part in PARTS}
    print("without calls, of one core: " + ", ".join(f"{part} {share:.2%}" for part, share in idle.items()) + "\n")
    return idle


def _measure(settings: Settings, ray_pid: int, idle: dict[str, float], calls: int, seconds: float) -> None:
    urls = asyncio.run(_new_calls(settings, calls))
    order = {"urls": urls, "seconds": seconds, "frames_per_s": FRAMES_PER_S}
    before, machine = _cpu(ray_pid), psutil.cpu_times()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench.carriers"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=seconds + CARRIERS_S,
        check=True,
        cwd=REPOSITORY,
    )
    took_s, after = time.monotonic() - began, _cpu(ray_pid)
    result = json.loads(done.stdout)
    _print(calls, seconds, result, {part: after[part] - before[part] - idle[part] * took_s for part in PARTS})
    busy_s = sum(psutil.cpu_times()) - psutil.cpu_times().idle - (sum(machine) - machine.idle)
    print(f"  the machine was {busy_s / (took_s * (os.cpu_count() or 1)):.0%} busy in all\n")


def _print(calls: int, seconds: float, result: dict[str, object], cpu_s: dict[str, float]) -> None:
    latencies = sorted(float(ms) for ms in result["latencies_ms"])  # type: ignore[attr-defined]
    cuts = statistics.quantiles(latencies, n=100)
    echoed = f"{len(latencies)} of {result['sent']} frames came back"
    print(f"{calls} call(s) of {FRAMES_PER_S} frames/s for {seconds:g} s: {echoed}")
    print(f"  latency ms: p50 {cuts[49]:.2f}  p90 {cuts[89]:.2f}  p99 {cuts[98]:.2f}  max {latencies[-1]:.2f}")
    each = {part: spent / (seconds * calls) for part, spent in cpu_s.items()}
    listed = ", ".join(f"{part} {share:.2%}" for part, share in each.items())
    print(f"  CPU per call, of one core and above idle: {sum(each.values()):.2%} ({listed})")


def _cpu(ray_pid: int) -> dict[str, float]:
    """CPU seconds so far of every part of the path."""
    spent = dict.fromkeys(PARTS, 0.0)
    for process in psutil.Process(ray_pid).children(recursive=True):
        title = " ".join(process.cmdline())
        for part, sign in PARTS.items():
            if sign in title:
                times = process.cpu_times()
                spent[part] += times.user + times.system
    return spent


async def _new_calls(settings: Settings, calls: int) -> list[str]:
    """That many calls in the store, and the addresses of their media sockets."""
    async with connect(settings) as client:
        store = Repositories.over(database(client, settings)).calls
        made = [_call(n) for n in range(calls)]
        for call in made:
            await store.insert(call)
    return [CallAddresses(settings).media(call.session_id) for call in made]


def _call(n: int) -> Call:
    now = datetime.now(UTC)
    config = AgentConfig(
        prompt="Repeat what you hear.",
        voice=Voice(provider="espeak", voice_id="en-us"),
        language="en",
        llm=Llm(model="gpt-4"),
    )
    return Call(
        created_at=now,
        updated_at=now,
        organization_id=new_id(),
        user_id=new_id(),
        session_id=SessionId(f"sess_bench{uuid.uuid4().hex}"),
        agent_id=new_id(),
        agent_name="Echo",
        agent_config=config,
        phone_id=new_id(),
        direction="inbound",
        from_phone="+14155550100",
        to_phone="+14155550101",
    )


if __name__ == "__main__":
    main()
