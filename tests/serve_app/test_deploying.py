"""When a deployment is done, although older replicas still have calls."""

from collections.abc import Mapping

import pytest

from serve_app.app import are_settled


@pytest.mark.parametrize(
    ("states", "is_settled"),
    [
        ({"RUNNING": 2}, True),
        ({"RUNNING": 2, "STARTING": 0}, True),
        ({"RUNNING": 2, "STOPPING": 3}, True),
        ({"RUNNING": 1, "STOPPING": 1}, False),
        ({"RUNNING": 3}, False),
        ({"RUNNING": 2, "STARTING": 1}, False),
        ({"RUNNING": 2, "RECOVERING": 1}, False),
        ({}, False),
    ],
)
def test_only_stopping_replicas_may_be_left_over(states: Mapping[str, int], is_settled: bool) -> None:
    assert are_settled(states, wanted=2) is is_settled
