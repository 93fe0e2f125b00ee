"""cluster.yaml, for Ray's cluster launcher (`ray up cluster.yaml`), and the environment file its nodes source."""

import shlex
from typing import Any

from deploy.numbers import Machine, Numbers

HOME = "~/callboard"
SECRETS = "~/.callboard.env"
"""Made by you, mode 0600: MONGODB_URL, REDIS_URL, SECRET_KEY, ENCRYPTION_KEY, PUBLIC_URL and vendors' keys."""
IN_HOME = f"cd {HOME} && set -a && . deploy/node.env && . {SECRETS} && set +a"
RAY = ".venv/bin/ray"
START = "--disable-usage-stats --metrics-export-port=8080"
AUTOSCALER = "--autoscaling-config=~/ray_bootstrap_config.yaml"
MANY_FILES = "{ ulimit -n 65536 || true; }"
"""A call has several sockets; a machine that allows fewer files starts all the same."""
STOP = f"{RAY} stop --grace-period 10"


def cluster(numbers: Numbers) -> dict[str, Any]:
    """The whole file."""
    return {
        "cluster_name": "callboard",
        "max_workers": sum(kind["max_workers"] for kind in _workers(numbers).values()),
        # A node with a pool is never idle; this counts from when the keeper has emptied and closed it.
        "idle_timeout_minutes": -(-numbers.drain_s // 60),
        "provider": {"type": numbers.cloud.provider, "region": numbers.cloud.region},
        "auth": {"ssh_user": numbers.cloud.user},
        "file_mounts": {HOME: ".", SECRETS: SECRETS},
        # Otherwise new files would restart Ray on every worker, under its calls.
        "file_mounts_sync_continuously": True,
        "rsync_exclude": [".git", ".venv", ".cache", "data", "node_modules", "__pycache__"],
        "setup_commands": [
            f"cd {HOME} && python3 -m venv .venv",
            f"cd {HOME} && .venv/bin/pip install --quiet --no-deps --require-hashes"
            " --requirement requirements/lock.txt --requirement requirements/build.txt",
            f"cd {HOME} && .venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .",
        ],
        "head_start_ray_commands": [
            f"{IN_HOME} && {STOP}",
            f"{IN_HOME} && {MANY_FILES} && {RAY} start --head --port=6379 {AUTOSCALER} {START}",
            f"{IN_HOME} && RAY_ADDRESS=127.0.0.1:6379 .venv/bin/callboard deploy",
        ],
        "worker_start_ray_commands": [
            f"{IN_HOME} && {STOP}",
            f"{IN_HOME} && {MANY_FILES} && {RAY} start --address=$RAY_HEAD_IP:6379 {START}",
        ],
        "head_node_type": "head",
        "available_node_types": {"head": _node(numbers.head, {"CPU": 0, "autoscaled": 1})} | _workers(numbers),
    }


def node_environment(numbers: Numbers) -> str:
    """The environment file."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in numbers.environment().items())


def _workers(numbers: Numbers) -> dict[str, dict[str, Any]]:
    calls, speech = numbers.call_nodes, numbers.speech_to_text
    kinds = {
        "calls": {"min_workers": calls.fewest, "max_workers": calls.most}
        | _node(calls, {"CPU": calls.cores, "call_slots": calls.slots})
    }
    if numbers.has_gpu_nodes:
        # No CPU, so that neither replicas nor pools come here.
        kinds["speech-to-text"] = {"min_workers": speech.workers, "max_workers": speech.workers} | _node(
            speech, {"CPU": 0, "GPU": 1}
        )
    return kinds


def _node(machine: Machine, resources: dict[str, int]) -> dict[str, Any]:
    return {"resources": resources, "node_config": {"InstanceType": machine.instance}}
