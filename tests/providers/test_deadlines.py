"""Deadlines and retries of streams: what counts as a failure, and when there is a second attempt."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from models.errors import ProviderError
from providers.deadlines import Limits, bounded

LIMITS = Limits(wait_s=0.02, total_s=5.0, attempts=2, pause_s=0.0)


def failure(*, retryable: bool = True, retry_after_s: float | None = None) -> ProviderError:
    return ProviderError("no", provider="test", retryable=retryable, retry_after_s=retry_after_s)


class Vendor:
    """Answers each attempt with the next script: pieces, an error to raise, or "stall"."""

    def __init__(self, *scripts: Sequence[str | ProviderError]) -> None:
        self.scripts = list(scripts)
        self.attempts = 0
        self.closed = 0
        self.started = asyncio.Event()

    async def attempt(self) -> AsyncGenerator[str, None]:
        self.attempts += 1
        self.started.set()
        try:
            for step in self.scripts[self.attempts - 1]:
                if isinstance(step, ProviderError):
                    raise step
                if step == "stall":
                    await asyncio.Event().wait()
                yield step
        finally:
            self.closed += 1


async def heard(
    attempt: Callable[[], AsyncGenerator[str, None]], limits: Limits = LIMITS
) -> tuple[list[str], ProviderError | None]:
    pieces: list[str] = []
    try:
        async for piece in bounded(attempt, limits, provider="test"):
            pieces.append(piece)
    except ProviderError as error:
        return pieces, error
    return pieces, None


async def test_a_good_stream_passes_unchanged() -> None:
    vendor = Vendor(["a", "b", "c"])
    assert await heard(vendor.attempt) == (["a", "b", "c"], None)
    assert vendor.closed == vendor.attempts == 1


@pytest.mark.parametrize("first", [[failure()], ["stall"], []], ids=["error", "stall", "nothing"])
async def test_a_retryable_failure_before_the_first_piece_is_tried_again(first: list[str | ProviderError]) -> None:
    vendor = Vendor(first, ["a", "b"])
    assert await heard(vendor.attempt) == (["a", "b"], None)
    assert vendor.closed == vendor.attempts == 2


async def test_attempts_run_out() -> None:
    vendor = Vendor(["stall"], ["stall"], ["a"])
    pieces, error = await heard(vendor.attempt)
    assert pieces == []
    assert error is not None
    assert error.retryable
    assert vendor.attempts == 2


async def test_a_final_failure_is_not_tried_again() -> None:
    vendor = Vendor([failure(retryable=False)], ["a"])
    pieces, error = await heard(vendor.attempt)
    assert (pieces, vendor.attempts) == ([], 1)
    assert error is not None


@pytest.mark.parametrize("end", [failure(), "stall"], ids=["error", "stall"])
async def test_nothing_is_tried_again_after_the_first_piece(end: str | ProviderError) -> None:
    vendor = Vendor(["a", end], ["b"])
    pieces, error = await heard(vendor.attempt)
    assert (pieces, vendor.attempts, vendor.closed) == (["a"], 1, 1)
    assert error is not None


async def test_the_total_deadline_ends_a_stream_that_keeps_dripping() -> None:
    async def drip() -> AsyncGenerator[str, None]:
        while True:
            await asyncio.sleep(0.001)
            yield "drop"

    limits = Limits(wait_s=1.0, total_s=0.02, attempts=3, pause_s=0.0)
    pieces, error = await heard(drip, limits)
    assert pieces
    assert error is not None
    assert "in time" in error.message


async def test_a_vendor_that_asks_for_more_patience_than_we_have_is_not_waited_for() -> None:
    vendor = Vendor([failure(retry_after_s=60.0)], ["a"])
    _, error = await heard(vendor.attempt)
    assert vendor.attempts == 1
    assert error is not None
    assert error.retry_after_s == 60.0


async def test_closing_it_closes_the_attempt_at_once() -> None:
    vendor = Vendor(["a", "b"])
    stream = bounded(vendor.attempt, LIMITS, provider="test")
    assert await anext(stream) == "a"
    await stream.aclose()
    assert vendor.closed == 1


async def test_cancelling_the_reader_closes_the_attempt() -> None:
    vendor = Vendor(["a", "stall"])
    reader = asyncio.create_task(heard(vendor.attempt, Limits(wait_s=9.0, total_s=9.0, attempts=1)))
    await vendor.started.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert vendor.closed == 1
