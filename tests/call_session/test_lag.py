from actors.call_session.lag import LoopLag
from tests.numbers import counted


def test_percentiles_are_upper_edges_and_never_beyond_the_worst() -> None:
    lag = LoopLag()
    for late_ms in [0.2] * 98 + [12.0, 40.0]:
        lag.add(late_ms)
    assert lag.figures() == {"p50": 0.5, "p99": 15, "max": 40.0}


def test_nothing_measured_is_no_lag() -> None:
    assert LoopLag().figures() == {"p50": 0.0, "p99": 0.0, "max": 0.0}


def test_the_worst_of_every_second_is_counted() -> None:
    lag = LoopLag()
    with counted() as numbers:
        for late_ms in [1.0] * 9 + [30.0] + [2.0] * 10 + [99.0]:
            lag.add(late_ms)
    assert numbers.of("call_loop_lag_ms") == [30.0, 2.0]
