"""A driver of a cluster: settings on the first line of standard input, then one command a line, each answered by one.

- ["look"]: what runs, which is nodes by name, living actors by name, running replicas
- ["place", D, N]: start N workers of device D, with nothing inside; the node of each, null: none has room
"""

import contextlib
import io
import json
import sys
from typing import Any

import ray
from ray._private import state
from ray.exceptions import GetTimeoutError
from ray.serve.context import _get_global_client

from actors.cluster.actor import HEAD
from actors.speech_to_text import worker
from cli import handover
from models.settings import Settings
from serve_app import app

PLACED_S = 5.0


def look() -> dict[str, Any]:
    """Everything there is now."""
    described: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = {
        node["NodeName"]: {
            "id": node["NodeID"],
            "alive": node["Alive"],
            "slots": int(node["Resources"].get("call_slots", 0)),
            "is_head": HEAD in node["Resources"],
        }
        for node in described
    }
    actors = {
        actor["Name"]: {"node": actor["Address"]["NodeID"], "pid": actor["Pid"], "port": actor["Address"]["Port"]}
        for actor in state.actors().values()
        if actor["State"] == "ALIVE" and actor["Name"]
    }
    return {"nodes": nodes, "actors": actors, "replicas": replicas()}


def replicas() -> list[dict[str, Any]]:
    """Serve's, those that run."""
    client = _get_global_client(raise_if_no_controller_running=False)
    if client is None:
        return []
    deployed = [
        each for one in client.get_serve_details()["applications"].values() for each in one["deployments"].values()
    ]
    found = [replica for each in deployed for replica in each["replicas"] if replica["state"] == "RUNNING"]
    return [{"node": replica["node_id"], "pid": replica["pid"]} for replica in found]


class Hollow:
    """Stands where a worker would."""

    async def node(self) -> str:
        """Where it is."""
        return str(ray.get_runtime_context().get_node_id())


def place(settings: Settings, device: str, workers: str) -> dict[str, Any]:
    """Where workers of the device are put, and gone again."""
    options = worker.options(settings.model_copy(update={"stt_device": device}))
    hollow: Any = ray.remote(Hollow)
    made = [hollow.options(name=f"hollow:{n}", **options).remote() for n in range(int(workers))]
    placed: dict[str, str | None] = {}
    for number, actor in enumerate(made):
        try:
            placed[f"{number}"] = ray.get(actor.node.remote(), timeout=PLACED_S)
        except GetTimeoutError:
            placed[f"{number}"] = None
    for actor in made:
        ray.kill(actor)
    return placed


def main() -> None:
    """Answer until nobody asks."""
    settings = handover.load(io.StringIO(sys.stdin.readline()))
    app.connect_to_ray(settings, is_quiet=True)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):
            answer = look() if command == "look" else place(settings, *arguments)
        print(json.dumps(answer), flush=True)  # noqa: T201 - what it was asked for


if __name__ == "__main__":
    main()
