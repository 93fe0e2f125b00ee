"""What a process tells Ray of its numbers, with a Ray that only listens."""

import logging
from collections.abc import Mapping

import pytest
import ray

from actors import metrics
from actors.metrics import Instrument, RayNumbers
from models.metrics import BY_NAME, Metric

LIVE, ENDED, LATENCY, WAITING = (
    BY_NAME[name] for name in ("calls_live", "calls_ended_total", "turn_latency_ms", "stt_waiting")
)
HOW = {"status": "completed", "reason": "hangup"}


class Listening:
    """Stands for Ray: keeps what it is told, and how often it had to make a place for a number."""

    def __init__(self, *, fails: bool = False) -> None:
        self.made: list[str] = []
        self.told: list[tuple[str, float, dict[str, str]]] = []
        self._fails = fails

    def make(self, metric: Metric) -> Instrument:
        """The place of one number."""
        self.made.append(metric.name)

        def take(value: float, tags: Mapping[str, str]) -> None:
            if self._fails:
                raise ValueError("no")
            self.told.append((metric.name, value, dict(tags)))

        return take


def test_each_number_gets_one_place_at_its_first_value() -> None:
    rays = Listening()
    numbers = RayNumbers(rays.make)
    assert rays.made == []
    for _ in range(2):
        numbers.record(ENDED, 1.0, HOW)
        numbers.record(LATENCY, 700.0, {})
    assert rays.made == ["calls_ended_total", "turn_latency_ms"]
    assert rays.told == [("calls_ended_total", 1.0, HOW), ("turn_latency_ms", 700.0, {})] * 2


def test_gauges_are_said_again_as_they_are_now_and_nothing_else_is() -> None:
    rays = Listening()
    numbers = RayNumbers(rays.make)
    numbers.record(LIVE, 1.0, {})
    numbers.record(WAITING, 4.0, {"kind": "final"})
    numbers.record(WAITING, 9.0, {"kind": "spec"})
    numbers.record(LIVE, 2.0, {})
    numbers.record(ENDED, 1.0, HOW)
    rays.told.clear()
    numbers.say_gauges_again()
    assert rays.told == [
        ("calls_live", 2.0, {}),
        ("stt_waiting", 4.0, {"kind": "final"}),
        ("stt_waiting", 9.0, {"kind": "spec"}),
    ]


def test_a_counter_that_grows_by_nothing_says_nothing() -> None:
    rays = Listening()
    RayNumbers(rays.make).record(ENDED, 0.0, HOW)
    assert rays.told == []


def test_what_ray_does_not_take_is_no_trouble_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    numbers = RayNumbers(Listening(fails=True).make)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            numbers.record(LIVE, 1.0, {})
        numbers.say_gauges_again()
    assert [record.getMessage() for record in caplog.records] == ["a number could not be told"]


def test_a_process_that_is_not_rays_exports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    metrics.export()
    assert metrics._exported is None
