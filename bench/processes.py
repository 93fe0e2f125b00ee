"""The processes of a running product: which part each belongs to, and what it uses of the machine.

Memory is PSS (a page shared by n processes counts as an nth for each), so that parts add up. Waiting is time a thread
was ready to run and no core was free for it: what says that the cores are the limit.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from cli.background import Background

PARTS = {
    "ingress": "haproxy",
    "replicas": "ray::ServeReplica",
    "call actors": "ray::CallSession",
    "speech to text": "ray::SpeechToText",
    "pools": "ray::CallPool",
    "billing": "ray::LedgerActor",
    "keeper": "ray::KeeperActor",
    "campaigns": "ray::CampaignActor",
    "raylets": "raylet",
    "control plane": "gcs_server",
}
"""By the beginning of their titles, or the name of their program."""
CHILDREN = ("mongodb", "redis")
"""Parts that are children of the run, each one process."""
OTHERS = "other of Ray's"
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Member:
    """One process, and the part of the product it is."""

    pid: int
    part: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used since it began, and what it uses now."""

    cpu_s: float
    waited_s: float
    pss_bytes: int
    descriptors: int


def members(children: Background, rays: Sequence[str] = ("ray",)) -> list[Member]:
    """Every process of the product; `rays` names the children that are nodes of Ray."""
    found = [Member(pid, name) for name in CHILDREN if (pid := children.pid(name)) is not None]
    for name in rays:
        if (pid := children.pid(name)) is not None:
            found += below(pid)
    return found


def below(pid: int) -> list[Member]:
    """A node's processes, by part."""
    try:
        processes = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [Member(process.pid, part) for process in processes if (part := _part(process)) is not None]


def _part(process: psutil.Process) -> str | None:
    """None: it has ended."""
    try:
        command: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return None
    if not command:
        return None
    title = Path(command[0]).name if "::" not in command[0] else command[0]
    return next((part for part, sign in PARTS.items() if title.startswith(sign)), OTHERS)


def usage(pid: int) -> Usage | None:
    """What one process uses; None: it has ended."""
    try:
        return Usage(_cpu_s(Path(f"/proc/{pid}")), _waited_s(pid), _pss_bytes(pid), len(os.listdir(f"/proc/{pid}/fd")))
    except (FileNotFoundError, ProcessLookupError):
        return None


def cpu_of(pid: int) -> dict[str, float]:
    """CPU seconds of a process by its threads' names; of threads that are still there."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread ended since
            name = (task / "comm").read_text().strip()
            found[name] = found.get(name, 0.0) + _cpu_s(task)
    return found


def by_part(found: Sequence[Member]) -> Mapping[str, list[Usage]]:
    """What the processes use, by part; those that have ended are left out."""
    parts: dict[str, list[Usage]] = {}
    for member in found:
        if (used := usage(member.pid)) is not None:
            parts.setdefault(member.part, []).append(used)
    return parts


def _cpu_s(place: Path) -> float:
    """CPU seconds of a process or a thread: fields 14 and 15 of its `stat` (proc(5)), counted behind its name."""
    fields = (place / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _waited_s(pid: int) -> float:
    return sum(_waits(pid))


def _waits(pid: int) -> Iterator[float]:
    """Seconds each thread waited for a core; the kernel counts nanoseconds."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield int((task / "schedstat").read_text().split()[1]) / 1e9


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
