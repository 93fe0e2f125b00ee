"""What a piece of the product counted, for tests; and that it counted as `models/metrics.py` says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from models.metrics import Metric
from services import meters


class Numbers:
    """Satisfies `services.meters.Sink`, strictly: a tag too many or too few is an error."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float, dict[str, str]]] = []

    def record(self, metric: Metric, value: float, tags: Mapping[str, str]) -> None:
        """Keep it."""
        assert set(tags) == set(metric.tags), f"{metric.name} is told apart by {metric.tags}, not {sorted(tags)}"
        self.told.append((metric.name, value, dict(tags)))

    def of(self, name: str, **tags: str) -> list[float]:
        """The values of one number, in order, of all its series that have these tags."""
        return [value for told, value, own in self.told if told == name and tags.items() <= own.items()]


@contextmanager
def counted() -> Iterator[Numbers]:
    """Everything that is counted in this process until the context is left."""
    numbers = Numbers()
    before = meters.use(numbers)
    try:
        yield numbers
    finally:
        meters.use(before)
