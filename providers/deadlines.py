"""How long a vendor may keep us waiting and how often we ask: the one place for deadlines and retries of streams."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from models.errors import ProviderError

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient we are with one vendor; durations are seconds."""

    wait_s: float
    """The longest wait for a piece, the first of an attempt included: a stalled stream is a failed one."""
    total_s: float
    attempts: int
    pause_s: float = 0.1
    """Before the second attempt; twice that before the third, and so on."""


async def bounded(
    attempt: Callable[[], AsyncGenerator[T, None]], limits: Limits, *, provider: str
) -> AsyncGenerator[T, None]:
    """The pieces of `attempt()`; before the first one, and only then, a retryable failure starts another attempt.

    Raises ProviderError: the attempt's own, or one for a passed deadline or an answer without any piece. Closing this
    generator closes the attempt, wherever it is.
    """
    end = asyncio.get_running_loop().time() + limits.total_s
    for number in range(1, limits.attempts + 1):
        async with aclosing(attempt()) as pieces:
            try:
                piece = await _next(pieces, min(limits.wait_s, _left(end)), provider)
            except ProviderError as error:
                pause_s = max(limits.pause_s * number, error.retry_after_s or 0.0)
                if not error.retryable or number == limits.attempts or pause_s >= min(limits.wait_s, _left(end)):
                    raise
                log.warning("provider failed, asking again", extra={"provider": provider, "attempt": number})
            else:
                while True:
                    yield piece
                    try:
                        piece = await _next(pieces, min(limits.wait_s, _left(end)), provider)
                    except _Ended:
                        return
        await asyncio.sleep(pause_s)


class _Ended(ProviderError):
    """The stream has no more pieces; before the first one that is a failure like any other."""


async def _next(pieces: AsyncGenerator[T, None], within_s: float, provider: str) -> T:
    try:
        async with asyncio.timeout(within_s):
            return await anext(pieces)
    except StopAsyncIteration:
        raise _Ended("the vendor answered with nothing", provider=provider, retryable=True) from None
    except TimeoutError as error:
        raise ProviderError("the vendor did not answer in time", provider=provider, retryable=True) from error


def _left(end: float) -> float:
    return end - asyncio.get_running_loop().time()
