"""The table of numbers keeps the rules Prometheus and Ray have for names and classes."""

import re

import pytest

from models.metrics import BY_NAME, METRICS, Metric


def test_no_number_is_there_twice() -> None:
    assert len(BY_NAME) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_each_is_named_after_what_it_is(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_ms") == (metric.kind == "histogram")
    assert metric.about


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_only_histograms_have_classes_and_theirs_rise(metric: Metric) -> None:
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert all(bound > 0 for bound in metric.buckets)
