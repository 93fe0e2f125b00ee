"""The product's own numbers, read from the page that Ray shows to Prometheus, and added up over its processes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import httpx

from cli.embedded.metrics import metrics_url

PREFIX = "ray_callboard_"
ANSWER_S = 5.0
_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a page, without our prefix."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """Every sample of a page."""

    samples: Sequence[Sample] = ()

    @classmethod
    def of(cls, page: str) -> "Numbers":
        """The product's samples on one page."""
        return cls(tuple(_samples(page)))

    def total(self, name: str, **labels: str) -> float | None:
        """The sum of a number over all processes; None: nobody exports it."""
        values = [
            each.value
            for each in self.samples
            if each.name == name and all(each.labels.get(label) == value for label, value in labels.items())
        ]
        return sum(values) if values else None

    def histogram(self, name: str) -> "Histogram":
        """A histogram over all processes."""
        counts: dict[float, float] = {}
        for each in self.samples:
            if each.name == f"{name}_bucket":
                edge = float(each.labels["le"])
                counts[edge] = counts.get(edge, 0.0) + each.value
        return Histogram(counts)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values were at most each edge."""

    counts: Mapping[float, float] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """All of them."""
        return int(max(self.counts.values(), default=0.0))

    def quantile(self, share: float) -> float:
        """The lowest edge that `share` of all are at most; not a number when there are none."""
        reached = (edge for edge, count in sorted(self.counts.items()) if count >= share * self.count)
        return next(reached, inf) if self.count else float("nan")

    def above(self, edge: float) -> int:
        """How many were more than one of the edges."""
        return self.count - int(self.counts.get(edge, self.count))


def numbers(data_dir: Path) -> Numbers:
    """What the embedded Ray's node exports now; nothing when its page does not answer."""
    url = metrics_url(data_dir)
    try:
        return Numbers() if url is None else Numbers.of(httpx.get(url, timeout=ANSWER_S).raise_for_status().text)
    except httpx.HTTPError:
        return Numbers()


def _samples(page: str) -> Iterator[Sample]:
    for line in page.splitlines():
        match = _SAMPLE.match(line)
        if match and match["name"].startswith(PREFIX):
            labels = dict(_LABEL.findall(match["labels"] or ""))
            yield Sample(match["name"].removeprefix(PREFIX), labels, float(match["value"]))
