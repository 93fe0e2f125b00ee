"""HTTP answers as provider errors."""

import pytest

from providers.http_failures import connection_failure, retry_after_s, status_failure


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (401, False), (404, False), (429, True), (503, True)])
def test_only_overload_and_faults_of_the_vendor_are_worth_another_try(status: int, retryable: bool) -> None:
    error = status_failure("vendor", status, {})
    assert (error.retryable, error.provider, error.retry_after_s) == (retryable, "vendor", None)


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), (" 0 ", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("²", None)]
)
def test_retry_after_is_read_in_its_form_of_seconds(value: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": value}) == seconds


def test_a_lost_connection_is_retryable_and_does_not_quote_the_error() -> None:
    error = connection_failure("vendor", OSError("https://user:secret@host"))
    assert error.retryable
    assert "secret" not in error.message
