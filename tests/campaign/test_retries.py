"""After which outcomes a contact is tried again, and how much later; and when a failing carrier stops a campaign."""

from datetime import UTC, datetime, timedelta

import pytest

from actors.campaign.breaker import CarrierWatch
from actors.campaign.retries import delay_after
from models.campaign import Breaker, Outcome, Retries, Retry

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A, B, N, F, M, X = (Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.MACHINE,
                    Outcome.NOT_PLACED)  # fmt: skip
RETRIES = Retries(
    max_attempts=4,
    busy=Retry(max_attempts=3, delay_s=60, backoff=2.0),
    no_answer=Retry(max_attempts=4, delay_s=600, backoff=3.0, max_delay_s=3600),
    failed=Retry(max_attempts=1, delay_s=30),
    machine=Retry(max_attempts=2, delay_s=7200),
)


@pytest.mark.parametrize(
    ("outcomes", "seconds"),
    [
        ((A,), None),
        ((Outcome.CANCELED,), None),
        ((B,), 60),
        ((B, B), 120),
        ((B, B, B), None),
        ((B, N, B), 120),
        ((N, N, N), 3600),
        ((N, N, N, N), None),
        ((B, N, M, B), None),
        ((F,), None),
        ((B, F), None),
        ((M,), 7200),
        ((), None),
        ((X, X, X, X, B), 60),
        ((B, X), 60),
    ],
)
def test_what_follows_an_outcome(outcomes: tuple[Outcome, ...], seconds: int | None) -> None:
    assert delay_after(RETRIES, outcomes) == (None if seconds is None else timedelta(seconds=seconds))


def ended(watch: CarrierWatch, breaker: Breaker, *outcomes: Outcome, now: datetime = NOW) -> list[bool]:
    return [watch.trips(breaker, each, now) for each in outcomes]


def test_it_trips_when_the_share_of_failures_is_reached_and_calls_enough_have_ended() -> None:
    breaker = Breaker(min_calls=4, failure_share=0.5)
    assert ended(CarrierWatch(), breaker, F, F, A, A) == [False, False, False, True]
    assert ended(CarrierWatch(), breaker, F, A, A, A, F, F) == [False] * 5 + [True]


def test_only_the_carriers_failures_count() -> None:
    breaker = Breaker(min_calls=2, failure_share=0.5)
    assert ended(CarrierWatch(), breaker, B, N, M, Outcome.CANCELED) == [False] * 4


def test_what_is_older_than_the_window_does_not_count() -> None:
    breaker = Breaker(window_s=60, min_calls=3, failure_share=0.5)
    watch = CarrierWatch([(NOW - 59 * SECOND, F), (NOW - 60 * SECOND, F)])
    assert ended(watch, breaker, F) == [False]
    assert ended(watch, breaker, A) == [True]


def test_it_counts_anew_after_it_has_tripped() -> None:
    breaker, watch = Breaker(min_calls=2, failure_share=1.0), CarrierWatch()
    assert ended(watch, breaker, F, F, F, F) == [False, True, False, True]


def test_one_that_is_off_never_trips() -> None:
    assert ended(CarrierWatch(), Breaker(enabled=False, min_calls=1), F, F) == [False, False]
