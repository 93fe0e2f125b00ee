"""Where the product counts: `count`, `set_to` and `observe` for the metrics of `models/metrics.py`.

A process that exports them says how with `use`; in all others, tests among them, counting does nothing.
"""

from collections.abc import Mapping
from typing import Protocol

from models.metrics import BY_NAME, Metric


class Sink(Protocol):
    """Takes the numbers of one process."""

    def record(self, metric: Metric, value: float, tags: Mapping[str, str]) -> None:
        """A counter grows by `value`, a gauge becomes it, a histogram takes it in. Raises nothing and never waits."""


class _Nowhere:
    def record(self, metric: Metric, value: float, tags: Mapping[str, str]) -> None:
        return


_sink: Sink = _Nowhere()


def use(sink: Sink) -> Sink:
    """Send this process's numbers there from now on; returns where they went before."""
    global _sink
    before, _sink = _sink, sink
    return before


def count(name: str, by: float = 1.0, **tags: str) -> None:
    """A counter grows."""
    _sink.record(BY_NAME[name], by, tags)


def set_to(name: str, value: float, **tags: str) -> None:
    """A gauge is now so."""
    _sink.record(BY_NAME[name], value, tags)


def observe(name: str, value: float, **tags: str) -> None:
    """A histogram takes a value in."""
    _sink.record(BY_NAME[name], value, tags)
