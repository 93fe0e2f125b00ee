"""Several Ray nodes on one machine, each of processes and ports of its own: a head, and call nodes that come and go."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from cli import handover
from cli.background import Background
from cli.child import Child, Restart
from cli.embedded.ray import SEVERAL_NODES, ray_child, ray_environment
from models.settings import REPOSITORY, Settings
from tests.integration.nodes.node import STARTED

GONE_S = 10.0


@dataclass(frozen=True)
class Cluster:
    """What runs now, as Ray and Serve tell it; nodes go by the names they were started with."""

    nodes: dict[str, dict[str, Any]]
    actors: dict[str, dict[str, Any]]
    replicas: list[dict[str, Any]]

    def node_of(self, actor: str) -> str:
        """Where the actor of this name is."""
        return self.name_of(str(self.actors[actor]["node"]))

    def name_of(self, node_id: str) -> str:
        """The name of the node with this Ray id."""
        return next(name for name, node in self.nodes.items() if node["id"] == node_id)

    def alive(self, *, slots: bool = True) -> set[str]:
        """The nodes that are alive, those that take calls or those that do not."""
        return {name for name, node in self.nodes.items() if node["alive"] and bool(node["slots"]) is slots}

    def pools(self) -> dict[str, str]:
        """The pools that answer, by node."""
        return {self.node_of(name): name for name in self.actors if name.startswith("call_pool:")}

    def replica_nodes(self) -> list[str]:
        """The node of every running replica."""
        return [self.name_of(replica["node"]) for replica in self.replicas]


class Machines:
    """The nodes of one cluster, started and killed here; `running` ends those that are left."""

    def __init__(self, running: Background, logs: Path, settings: Settings) -> None:
        child, self.address = ray_child(settings)
        self.settings = settings.model_copy(update={"ray_address": self.address})
        self._running = running
        self._logs = logs
        self.names: set[str] = set()
        """The call nodes that run."""
        running.start(
            replace(child, command=_without_calls(child.command), env={**child.env, **SEVERAL_NODES}, stop_grace_s=2.0)
        )

    def join(self, name: str, *, slots: int, gpus: int = 0) -> None:
        """Start one more call node, and return once Ray knows of it. Two at once would take the same socket."""

        async def ready() -> bool:
            return STARTED in (self._logs / f"{name}.log").read_text()

        module = "tests.integration.nodes.node"
        self._running.start(
            Child(
                name=name,
                command=(sys.executable, "-m", module, name, self.address, str(slots), str(gpus)),
                setting="RAY_ADDRESS",
                env=ray_environment(self.settings) | SEVERAL_NODES | {"PYTHONPATH": str(REPOSITORY)},
                ready=ready,
                ready_timeout_s=40.0,
                restart=Restart.DONE,
                stop_grace_s=2.0,
            )
        )
        self.names.add(name)

    def kill(self, name: str) -> None:
        """End a node as a power cut would: none of its processes can say goodbye."""
        pid = self._running.pid(name)
        assert pid is not None
        parent = psutil.Process(pid)
        everything = [parent, *parent.children(recursive=True)]
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, left = psutil.wait_procs(everything, timeout=GONE_S)
        assert not left
        self.names.remove(name)


class Control:
    """A driver of the cluster, in a process of its own (`control.py`)."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def look(self) -> Cluster:
        """What runs now."""
        return Cluster(**self.ask("look"))

    def ask(self, *command: str) -> dict[str, Any]:
        """What it answers to a command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise AssertionError("the driver has ended")


@contextmanager
def control(settings: Settings) -> Iterator[Control]:
    """The driver, until the context is left."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.integration.nodes.control"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **ray_environment(settings), "PYTHONPATH": str(REPOSITORY)},
        text=True,
    )
    with process:
        assert process.stdin is not None
        process.stdin.write(handover.dump(settings) + "\n")
        try:
            yield Control(process)
        finally:
            process.stdin.close()


def _without_calls(command: tuple[str, ...]) -> tuple[str, ...]:
    """A head as clusters of several nodes have it: neither calls nor replicas come to it."""
    kept = (part for part in command if not part.startswith(("--resources=", "--num-cpus=")))
    return (*kept, "--num-cpus=0", "--node-name=head")
