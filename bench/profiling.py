"""What the parts of a running product spend their time on: their threads by CPU, and their functions by py-spy.

A function's share is of the samples in which its process ran Python; py-spy does not stop the process it watches.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.processes import Member, cpu_of

WATCHED = ("call actors", "speech to text", "replicas")
SECONDS = 10
SHOWN = 8
PY_SPY = Path(sys.executable).with_name("py-spy")


def profile(found: Sequence[Member]) -> None:
    """Print it, of the busiest process of each part; takes SECONDS for each of them."""
    for part in WATCHED:
        before = {member.pid: cpu_of(member.pid) for member in found if member.part == part}
        time.sleep(1.0)
        spent = {pid: _less(cpu_of(pid), then) for pid, then in before.items() if Path(f"/proc/{pid}").exists()}
        if spent:
            busiest = max(spent, key=lambda pid: sum(spent[pid].values()))
            _print_threads(part, spent[busiest])
            _print_functions(busiest)


def _less(now: dict[str, float], then: dict[str, float]) -> Counter[str]:
    return Counter({name: seconds - then.get(name, 0.0) for name, seconds in now.items()})


def _print_threads(part: str, spent: Counter[str]) -> None:
    top = ", ".join(f"{name} {seconds:.2f}" for name, seconds in spent.most_common(5) if seconds > 0)
    print(f"    {part}: cores used by the threads of the busiest process: {top}", flush=True)


def _print_functions(pid: int) -> None:
    if not PY_SPY.exists():
        print("      its functions: py-spy is not installed")
        return
    with TemporaryDirectory() as directory:
        out = Path(directory) / "stacks"
        options = ("--nonblocking", "--format", "raw", "--duration", str(SECONDS), "--output", str(out))
        tried = subprocess.run(
            (str(PY_SPY), "record", "--pid", str(pid), *options), capture_output=True, text=True, check=False
        )
        if not out.exists():
            print(f"      its functions: {tried.stderr.strip().splitlines()[-1:]}")
            return
        for share, name in top_functions(out.read_text().splitlines()):
            print(f"      {share:6.1%}  {name}", flush=True)


def top_functions(stacks: Iterable[str]) -> list[tuple[float, str]]:
    """The functions that most time was spent in themselves, from lines of `outer;inner count`. Pure."""
    leaves: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        leaves[stack.rpartition(";")[2]] += int(count)
    return [(count / leaves.total(), name) for name, count in leaves.most_common(SHOWN)]
