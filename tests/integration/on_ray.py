"""A driver of the session's Ray: python -m tests.integration.on_ray COMMAND, settings on standard input.

A process of its own, because one that has imported ray before cannot join a cluster on loopback any more. Commands:

    look         print what runs, as JSON: the actor behind every name of ours, and Serve's replicas
    lose NAME    end the actor of this name for good, as if its node had died
    shutdown     take the product off
"""

import json
import sys

import ray

from actors.handles import kill, names
from cli import handover
from models.settings import Settings
from serve_app import app


def look(settings: Settings) -> dict[str, dict[str, str]]:
    """Ray's ids by our names; an actor that crashed and was restarted keeps its id."""
    namespace = settings.ray_namespace
    actors = {name: ray.get_actor(name, namespace)._actor_id.hex() for name in names(namespace, "")}
    return {"actors": actors, "replicas": {each: "" for each in _replicas()}}


def _replicas() -> list[str]:
    from ray.serve.context import _get_global_client

    client = _get_global_client()
    assert client is not None
    (deployed,) = client.get_serve_details()["applications"].values()
    replicas = deployed["deployments"]["site"]["replicas"]
    return [each["replica_id"] for each in replicas if each["state"] == "RUNNING"]


if __name__ == "__main__":
    given = handover.load(sys.stdin)
    app.connect_to_ray(given, is_quiet=True)
    match sys.argv[1:]:
        case ["shutdown"]:
            app.shutdown()
        case ["lose", lost]:
            kill(given.ray_namespace, lost)
        case _:
            print(json.dumps(look(given)))  # noqa: T201 - what it was asked for
