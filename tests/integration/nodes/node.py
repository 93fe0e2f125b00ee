"""One call node, until it is told to end: python -m tests.integration.nodes.node NAME ADDRESS SLOTS GPUS

What `ray start --address` does, except that it is done on loopback as well, where that refuses.
"""

import signal
import sys

from ray._private.node import Node
from ray._private.parameter import RayParams

CPUS = 16
OBJECT_STORE_BYTES = 80_000_000
STARTED = "the node has started"
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main(name: str, address: str, slots: str, gpus: str) -> None:
    """Start it and wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    parameters = RayParams(
        gcs_address=address,
        node_ip_address="127.0.0.1",
        node_name=name,
        num_cpus=CPUS,
        num_gpus=int(gpus),
        resources={"call_slots": int(slots)},
        object_store_memory=OBJECT_STORE_BYTES,
        min_worker_port=0,
        max_worker_port=0,
        node_manager_port=0,
        dashboard_agent_listen_port=None,
        include_log_monitor="",
    )
    node = Node(parameters, head=False, shutdown_at_exit=False, spawn_reaper=False)
    print(STARTED, flush=True)  # noqa: T201 - whoever started it waits for this
    signal.sigwait(ENDINGS)
    node.kill_all_processes(check_alive=False, allow_graceful=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
