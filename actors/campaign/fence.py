"""The last look at the clock before a carrier is asked to dial.

Between an attempt's beginning and its dial lie a ledger, a pool and several writes. A process that was frozen there
goes on as if no time had passed; by then the contact's window may be closed, and somebody else may have taken the
attempt for lost and dial the contact again. So whoever begins an attempt says until when it may be dialled.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, cast

from models.errors import Unavailable
from providers.roles import CarrierCredentials, PlaceCall, PlacedCall, Telephony


class TooLate(Unavailable):
    """The carrier was not asked, and never will be for this call."""


_before: ContextVar[datetime | None] = ContextVar("before", default=None)


@contextmanager
def dialled_before(moment: datetime) -> Iterator[None]:
    """Whatever is dialled in here is dialled before that moment, or not at all."""
    token = _before.set(moment)
    try:
        yield
    finally:
        _before.reset(token)


class _Fenced:
    """A carrier whose `place_call` looks at the clock first; all else is the carrier's own."""

    def __init__(self, carrier: Telephony, now: Callable[[], datetime]) -> None:
        self._carrier = carrier
        self._now = now

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        before = _before.get()
        if before is not None and self._now() >= before:
            raise TooLate("The moment to place the call has passed")
        return await self._carrier.place_call(credentials, request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._carrier, name)


def fenced(carrier: Telephony, now: Callable[[], datetime]) -> Telephony:
    """The same carrier, which raises TooLate where `dialled_before` says so; `now` is the clock."""
    return cast(Telephony, _Fenced(carrier, now))
