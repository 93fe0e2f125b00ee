"""What a Ray actor counts can be read from its node's agent, the way Prometheus reads it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import ray

from actors.metrics import PREFIX, export
from models.metrics import METRICS
from services import meters
from tests.local_ray import local_ray

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PATIENCE_S = 45.0
"""Ray's processes report every ten seconds."""
VERBS: dict[str, Callable[..., None]] = {
    "counter": meters.count,
    "gauge": meters.set_to,
    "histogram": meters.observe,
}


class Counting:
    """An actor that counts everything there is once, and `calls_ended_total` as often as it is told."""

    def __init__(self) -> None:
        export()
        export()  # more does no harm

    def count(self, ended: int) -> float:
        """Microseconds that one takes."""
        for metric in METRICS:
            tags = dict.fromkeys(metric.tags, "x")
            VERBS[metric.kind](metric.name, 7.0, **tags)
        began = time.perf_counter()
        for _ in range(ended):
            meters.count("calls_ended_total", status="completed", reason="hangup")
        return (time.perf_counter() - began) / ended * 1e6


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with local_ray("metrics_test"):
        (node,) = ray.nodes()  # type: ignore[no-untyped-call]
        yield f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"


def test_every_number_is_shown_under_its_name(url: str) -> None:
    actor: Any = ray.remote(num_cpus=0.01)(Counting).remote()
    assert ray.get(actor.count.remote(1000)) < 20.0
    shown = _wait_for(url, f"ray_{PREFIX}calls_live")
    suffixes = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
    expected = {f"ray_{PREFIX}{metric.name}{suffix}" for metric in METRICS for suffix in suffixes[metric.kind]}
    assert {name for line in shown if (name := line.partition("{")[0]).startswith(f"ray_{PREFIX}")} == expected
    ended = [line for line in shown if line.startswith(f"ray_{PREFIX}calls_ended_total") and 'reason="hangup"' in line]
    assert [float(line.split()[-1]) for line in ended] == [1000.0]
    assert 'NodeAddress="' in ended[0]
    ray.kill(actor)


def _wait_for(url: str, name: str) -> list[str]:
    """The lines of the page once the name is there."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        lines = httpx.get(url, timeout=10.0, trust_env=False).text.splitlines()
        if any(line.startswith(name) for line in lines):
            return lines
        time.sleep(0.5)
    pytest.fail(f"{name} was not shown")
