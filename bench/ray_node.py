"""One more node of a Ray that runs on loopback, as a process that ends when it is told to.

    python -m bench.ray_node ADDRESS RESOURCES

RESOURCES is JSON. `ray start` adds no node to a Ray that is kept on loopback: it looks for the machine's own address.
Ray's tests make theirs as here (`ray.cluster_utils`).
"""

import json
import signal
import sys

from ray._private.node import Node
from ray._private.parameter import RayParams

from cli.embedded.ray import LOGICAL_CPUS, OBJECT_STORE_BYTES

HOST = "127.0.0.1"
JOINED = "joined"
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main(address: str, resources: str) -> None:
    """Join, and stay until told to leave."""
    params = RayParams(
        gcs_address=address,
        node_ip_address=HOST,
        num_cpus=LOGICAL_CPUS,
        num_gpus=0,
        resources=json.loads(resources),
        object_store_memory=OBJECT_STORE_BYTES,
        min_worker_port=0,
        max_worker_port=0,
        node_manager_port=0,
    )
    params.include_log_monitor = False  # type: ignore[assignment]
    params.dashboard_agent_listen_port = None  # one of its own choice
    node = Node(params, head=False, shutdown_at_exit=False, spawn_reaper=False)
    print(JOINED, flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # only now: its processes would inherit it
    signal.sigwait(ENDINGS)
    node.kill_all_processes(check_alive=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
