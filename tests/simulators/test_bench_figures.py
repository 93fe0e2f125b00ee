"""The small pure parts of the benchmarks: slopes, steps, metrics pages, stacks."""

import math
from typing import Any

import pytest

from bench.numbers_page import Numbers
from bench.profiling import top_functions
from bench.slope import fitted
from bench.spread import Spread
from bench.steps import Heard, Step, heard, highest
from simulators.ear import Gap
from simulators.report import CallReport, Reply, Utterance

PAGE = """\
# HELP ray_callboard_pool_lease_ms From asking for an actor to having one
# TYPE ray_callboard_pool_lease_ms histogram
ray_callboard_pool_lease_ms_bucket{NodeAddress="127.0.0.1",le="10.0",WorkerId="a"} 90.0
ray_callboard_pool_lease_ms_bucket{NodeAddress="127.0.0.1",le="50.0",WorkerId="a"} 98.0
ray_callboard_pool_lease_ms_bucket{NodeAddress="127.0.0.1",le="+Inf",WorkerId="a"} 99.0
ray_callboard_pool_lease_ms_bucket{le="10.0",WorkerId="b"} 1.0
ray_callboard_pool_lease_ms_bucket{le="50.0",WorkerId="b"} 1.0
ray_callboard_pool_lease_ms_bucket{le="+Inf",WorkerId="b"} 1.0
ray_callboard_calls_refused_total{direction="inbound",reason="full"} 2.0
ray_callboard_calls_refused_total{direction="outbound",reason="full"} 3.0
ray_node_cpu_utilization{ip="127.0.0.1"} 12.0
"""


def test_points_on_a_line_have_its_slope_without_error() -> None:
    found = fitted([(0, 1), (1, 3), (2, 5)])
    assert found is not None
    assert found.per_x == pytest.approx(2)
    assert found.error == pytest.approx(0)


def test_the_error_says_how_far_points_are_from_the_line() -> None:
    # Least squares by hand: slope 0.5; residuals 0.5, -1, 0.5; sqrt(1.5 / 1 / 2).
    found = fitted([(0, 1), (1, 0), (2, 2)])
    assert found is not None
    assert found.per_x == pytest.approx(0.5)
    assert found.error == pytest.approx(math.sqrt(0.75))
    assert found.is_flat(0.0)


@pytest.mark.parametrize("points", [[], [(0, 1), (1, 2)], [(1, 1), (1, 2), (1, 3)]])
def test_too_few_points_have_no_slope(points: list[tuple[float, float]]) -> None:
    assert fitted(points) is None


def test_a_sure_rise_is_not_flat() -> None:
    found = fitted([(0, 0), (1, 10), (2, 20), (3, 30)])
    assert found is not None
    assert not found.is_flat(6.0)
    assert found.is_flat(10.1)


def test_numbers_add_up_over_processes() -> None:
    numbers = Numbers.of(PAGE)
    assert numbers.total("calls_refused_total") == 5
    assert numbers.total("calls_refused_total", direction="inbound") == 2
    assert numbers.total("calls_live") is None


def test_a_histogram_is_read_by_its_edges() -> None:
    leases = Numbers.of(PAGE).histogram("pool_lease_ms")
    assert leases.count == 100
    assert leases.quantile(0.5) == 10
    assert leases.quantile(0.99) == 50
    assert leases.quantile(1.0) == math.inf
    assert leases.above(50.0) == 1


def test_a_histogram_nobody_exports_is_empty() -> None:
    nothing = Numbers().histogram("pool_lease_ms")
    assert nothing.count == nothing.above(50.0) == 0
    assert math.isnan(nothing.quantile(0.5))


def test_functions_are_ranked_by_the_time_in_themselves() -> None:
    stacks = ["main;run;decode 6", "main;run 1", "main;other;decode 2", "main;idle 1"]
    assert top_functions(stacks) == [(0.8, "decode"), (0.1, "run"), (0.1, "idle")]


def report(**fields: Any) -> CallReport:
    """A call of 30 s with one answered utterance and one the agent never answered."""
    own: dict[str, Any] = {
        "call_sid": "sid",
        "from_number": "1",
        "to_number": "2",
        "rate_hz": 8000,
        "origin": 0.0,
        "ended": 30.0,
        "end_reason": "caller",
        "utterances": (Utterance("say", "a", 4.0, 5.0, 5.0), Utterance("say", "b", 14.0, 15.0, 15.0)),
        "replies": (Reply(0.5, 0.6), Reply(None, None)),
        "agent_speech": ((1.0, 3.0), (5.6, 9.0)),
        "gaps": (Gap(6.0, 0.05), Gap(7.0, 0.02)),
    }
    return CallReport(**(own | fields))


def test_a_step_has_what_was_said_and_heard_in_it() -> None:
    found = heard([report()], Step(1, 0.0, 10.0))
    assert found.turns.all_ms == [500.0]
    assert found.gaps.all_ms == [0.0, pytest.approx(50.0)]
    assert (found.unanswered, found.broken) == (0, 0)


def test_a_later_step_has_the_rest() -> None:
    found = heard([report(end_reason="platform")], Step(1, 10.0, 40.0))
    assert (found.turns.all_ms, found.gaps.all_ms) == ([], [])
    assert (found.unanswered, found.broken) == (1, 1)


def step_of(calls: int, p95_ms: float, gap_ms: float = 0.0, broken: int = 0) -> tuple[Step, Heard]:
    """A step in which every turn and gap took so long."""
    return Step(calls, 0, 1), Heard(Spread([p95_ms]), 0, Spread([gap_ms]), broken)


def test_the_highest_number_is_the_last_before_a_bad_step() -> None:
    assert highest([step_of(4, 500), step_of(8, 1000, 40), step_of(12, 1001), step_of(16, 500)]) == 8
    assert highest([step_of(4, 500), step_of(8, 500, 41)]) == 4
    assert highest([step_of(4, 500, broken=1)]) == 0


def test_a_step_in_which_nobody_was_answered_is_not_good() -> None:
    assert not Heard(Spread([]), 3, Spread([]), 0).is_good
