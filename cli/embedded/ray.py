"""The embedded Ray: one head node on loopback, and the environment that makes Serve use its HAProxy ingress.

Serve reads these variables when a process imports it. Controller, proxy and replicas inherit them from the head node;
the driver (whoever calls `ray.init` and `serve.run`) needs the same ones, so `ray_environment` goes to both.

In tests: the session fixture `ray_cluster` (tests/conftest.py).
"""

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.child import Child, Restart
from cli.embedded.metrics import write_targets
from cli.embedded.places import make_runtime_dir, runtime_path
from cli.embedded.ports import free_port
from models.settings import Settings

LOGICAL_CPUS = 64
"""What actors may ask for in all; a number of its own, so that nothing waits for idle cores."""
OBJECT_STORE_BYTES = 200_000_000
DRAIN_MARGIN_S = 60

CORE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # despite its name: every Ray process listens on loopback only
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",  # the only node has nowhere to drain to
    "RAY_worker_niceness": "0",  # by default 15: calls would stutter beside anything else on the machine
    "RAY_task_events_report_interval_ms": "0",  # nobody reads of single tasks, and their list grows to 100 MB and more
}
SERVE = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # Engine.IO polling stays on one replica (its address carries the session), media and REST spread.
    "RAY_SERVE_HAPROXY_BALANCE_ALGORITHM": "hash base32+src",
    # The way into HAProxy's `defaults`, which has no setting of its own for it: the value is rendered as it is. HAProxy
    # adds its peer as the last X-Forwarded-For, and replicas learn who asks (`serve_app/client_address.py`).
    "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure\n    option forwardfor",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",
    # Serve kills an ingress that answers late, and every call with it: a busy machine gets time (5 and 10 s else).
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60",
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "2",  # three plain failures replace it: a dead HAProxy is back in seconds
    "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": "60",
}

SEVERAL_NODES = {
    # A node whose Ray has died is missed after 5 s instead of 15, and its ledger writers and speech-to-text workers
    # are started elsewhere; one that is only slow, or cut off, is waited for: 30 s.
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "5000",
    "RAY_health_check_failure_threshold": "5",
}


def ray_environment(settings: Settings, *, local: bool = True) -> dict[str, str]:
    """Variables for the head node and for the driver; `local` is False for a cluster that was there before."""
    longest = settings.max_call_s + DRAIN_MARGIN_S
    # A reload, which every change of replicas is, cuts connections older than this.
    timeouts = {"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": str(longest), "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": str(longest)}
    if not local:
        return SERVE | SEVERAL_NODES | timeouts
    return CORE | SERVE | timeouts | _haproxy_places(settings.callboard_data_dir) | _token(settings.callboard_data_dir)


def ray_child(settings: Settings) -> tuple[Child, str]:
    """The head node's process, and its address. Empties the Ray directory of the run before."""
    directory = make_runtime_dir(settings.callboard_data_dir) / "ray"
    shutil.rmtree(directory, ignore_errors=True)
    _make_token(_token_path(settings.callboard_data_dir))
    port, metrics_port = free_port(), free_port()
    address = f"127.0.0.1:{port}"
    write_targets(settings.callboard_data_dir, f"127.0.0.1:{metrics_port}")

    async def ready() -> bool:
        return _announced(directory, address) and await ray_answers(address)

    child = Child(
        name="ray",
        command=_command(directory, port, metrics_port, settings),
        setting="RAY_ADDRESS",
        place=f"head node, {address}",
        env=ray_environment(settings) | _serve_ports(),
        ready=ready,
        ready_timeout_s=120.0,
        restart=Restart.NEVER,
        stop_grace_s=6.0,
    )
    return child, address


async def ray_answers(address: str) -> bool:
    """Whether something listens at `address`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, ValueError):
        return False
    writer.close()
    return True


def _command(directory: Path, port: int, metrics_port: int, settings: Settings) -> tuple[str, ...]:
    options: Mapping[str, object] = {
        "node-ip-address": "127.0.0.1",
        "port": port,
        "temp-dir": directory,
        "num-cpus": LOGICAL_CPUS,
        "resources": json.dumps({"call_slots": settings.call_slots}),
        "object-store-memory": OBJECT_STORE_BYTES,
        "include-dashboard": "false",
        "include-log-monitor": "false",
        "min-worker-port": 0,
        "max-worker-port": 0,
        "ray-client-server-port": free_port(),
        "dashboard-agent-listen-port": free_port(),
        "metrics-export-port": metrics_port,
    }
    flags = ("--head", "--block", "--no-monitor", "--disable-usage-stats")
    ray = str(Path(sys.executable).parent / "ray")
    return (ray, "start", *flags, *(f"--{name}={value}" for name, value in options.items()))


def _announced(directory: Path, address: str) -> bool:
    """Whether `ray start` has written the address down, which it does when the whole node runs."""
    try:
        return (directory / "ray_current_cluster").read_text().strip() == address
    except FileNotFoundError:
        return False


def _make_token(path: Path) -> None:
    """A new token for a new head node: whoever reaches one without runs code as its user."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))


def _token(data_dir: Path) -> dict[str, str]:
    """Said explicitly, because Ray otherwise decides by whether the user's home holds a token."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(_token_path(data_dir))}


def _token_path(data_dir: Path) -> Path:
    return runtime_path(data_dir) / "ray-token"


def _haproxy_places(data_dir: Path) -> dict[str, str]:
    directory = runtime_path(data_dir) / "haproxy"
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(directory / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(directory / "ctl"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(directory / "met"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(directory),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(directory / "state"),
        "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
    }


def _serve_ports() -> dict[str, str]:
    """Ports that are fixed by default and would keep a second cluster from starting on the machine."""
    names = ("HAPROXY_METRICS_PORT", "HAPROXY_STATS_PORT", "FALLBACK_PROXY_HTTP_PORT", "FALLBACK_PROXY_GRPC_PORT")
    return {f"RAY_SERVE_{name}": str(free_port()) for name in names}
