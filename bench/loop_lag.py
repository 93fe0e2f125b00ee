"""A driver of Ray that writes down how late the call actors' event loops are: a line of JSON for each live call.

    python -m bench.loop_lag ADDRESS NAMESPACE EVERY_S

Started by `bench.crowd` with Ray's environment; runs until its standard input ends.
"""

import json
import logging
import select
import sys
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util import list_named_actors

from actors.handles import CALL_PREFIX

ANSWER_S = 5.0


def main(address: str, namespace: str, every_s: float) -> None:
    """Ask every call actor again and again."""
    ray.init(address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)
    while not select.select([sys.stdin], [], [], every_s)[0]:
        for line in _lags(namespace):
            print(json.dumps(line), flush=True)


def _lags(namespace: str) -> list[dict[str, Any]]:
    """Those of actors that are in a call and measure it."""
    names = [each["name"] for each in list_named_actors(all_namespaces=True) if each["namespace"] == namespace]
    try:
        actors = [ray.get_actor(name, namespace) for name in names if name.startswith(CALL_PREFIX)]
        snapshots: list[dict[str, Any]] = ray.get([actor.snapshot.remote() for actor in actors], timeout=ANSWER_S)
    except (RayError, GetTimeoutError, ValueError):  # one has just been replaced; the next round sees its successor
        return []
    calls = [snapshot["call"] for snapshot in snapshots if snapshot["call"]]
    return [{key: call[key] for key in ("sessionId", "loopLagMs")} for call in calls if call.get("loopLagMs")]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
