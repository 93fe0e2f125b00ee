"""Sends this process's numbers to Ray; its agent on the node shows them to Prometheus as `ray_callboard_...`.

Recording costs 1 to 2 microseconds, so nothing is gathered first. Ray forgets a gauge that was not set for 20 seconds,
which is how those of dead processes vanish; what still holds here is therefore said again every few seconds.
Every actor calls `export` when it starts.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import ray
from ray.util.metrics import Counter, Gauge, Histogram

from models.metrics import Metric
from services import meters

PREFIX = "callboard_"
AGAIN_S = 5.0

logger = logging.getLogger(__name__)

Tags = Mapping[str, str]


class Instrument(Protocol):
    """Takes one metric's values."""

    def __call__(self, value: float, tags: dict[str, str]) -> None:
        """A value, with all of the metric's tags."""


class RayNumbers:
    """Satisfies `services.meters.Sink`; `make` gives a metric its place in Ray."""

    def __init__(self, make: Callable[[Metric], Instrument]) -> None:
        self._make = make
        self._instruments: dict[str, Instrument] = {}
        self._gauges: dict[tuple[str, frozenset[tuple[str, str]]], tuple[Metric, float]] = {}
        self._broken: set[str] = set()

    def record(self, metric: Metric, value: float, tags: Tags) -> None:
        """See Sink. What Ray does not take is said once for each metric."""
        if metric.kind == "gauge":
            self._gauges[metric.name, frozenset(tags.items())] = (metric, value)
        self._send(metric, value, tags)

    def say_gauges_again(self) -> None:
        """All that were ever set, as they are now."""
        for (_, tags), (metric, value) in list(self._gauges.items()):
            self._send(metric, value, dict(tags))

    def _send(self, metric: Metric, value: float, tags: Tags) -> None:
        if metric.kind == "counter" and value <= 0:
            return
        try:
            instrument = self._instruments.get(metric.name)
            if instrument is None:
                instrument = self._instruments[metric.name] = self._make(metric)
            instrument(value, dict(tags))
        except Exception:  # a number that is not told must not end a call
            if metric.name not in self._broken:
                self._broken.add(metric.name)
                logger.exception("a number could not be told", extra={"metric": metric.name})


_exported: RayNumbers | None = None


def export() -> None:
    """Have this process count, if it is one of Ray's; once is enough, more does no harm."""
    global _exported
    if _exported is not None or not ray.is_initialized():
        return
    _exported = RayNumbers(_instrument)
    meters.use(_exported)
    threading.Thread(target=_keep_saying, args=(_exported,), name="gauges", daemon=True).start()


def _keep_saying(numbers: RayNumbers) -> None:
    while True:
        time.sleep(AGAIN_S)
        numbers.say_gauges_again()


def _instrument(metric: Metric) -> Instrument:
    name = PREFIX + metric.name
    match metric.kind:
        case "counter":
            return Counter(name, metric.about, metric.tags).inc
        case "gauge":
            return Gauge(name, metric.about, metric.tags).set
        case "histogram":
            return Histogram(name, metric.about, list(metric.buckets), metric.tags).observe
