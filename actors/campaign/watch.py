"""Waits for the ends of a campaign's calls: all of them are looked up together, and nobody asks about one."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actors.campaign import protocol as p
from actors.campaign.around import CallStore
from models.campaign import Outcome, outcome_of
from models.document import Id
from stores.calls import CallState
from stores.outage import AWAY

logger = logging.getLogger(__name__)

LOOK_S = 0.5
ATTEMPT = timedelta(seconds=60)
"""An attempt whose call does not exist by then is lost: whoever began it gave up long ago, even where clocks differ."""
ANSWERER = timedelta(seconds=1)
"""Who picked up may be known a moment after the call is over."""


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that has begun, and the id of its call, whether there is one yet or not."""

    contact_id: Id
    number: int
    call_id: Id
    at: datetime


def came_of(attempt: OpenAttempt, call: CallState | None, now: datetime, doubt: timedelta) -> p.Event | None:
    """What an attempt came to by what is known of its call; None: it goes on.

    A call that failed before the carrier named it may be ringing all the same, when it was the carrier's answer that
    was lost: for so long as `doubt` nobody else is dialled in its place.
    """
    if call is None:
        is_lost = now >= attempt.at + ATTEMPT
        return p.NotPlaced(attempt.contact_id, attempt.number, p.Cause.LOST) if is_lost else None
    outcome = outcome_of(call.status, call.answered_by)
    if outcome is None:
        return None
    if outcome is Outcome.FAILED and call.carrier_call_id is None and now < attempt.at + doubt:
        return None
    is_fresh = call.ended_at is not None and now < call.ended_at + ANSWERER
    if outcome is Outcome.ANSWERED and call.answered_by is None and is_fresh:
        return None
    return p.CallEnded(attempt.contact_id, attempt.number, outcome)


class Watch:
    """The attempts of one life. `tell` is given what becomes of each, once."""

    def __init__(
        self, calls: CallStore, tell: Callable[[p.Event], None], now: Callable[[], datetime], doubt: timedelta
    ) -> None:
        self._calls = calls
        self._tell = tell
        self._now = now
        self._doubt = doubt
        self._open: dict[Id, OpenAttempt] = {}
        self._has_any = asyncio.Event()

    def add(self, attempt: OpenAttempt) -> None:
        """Wait for this one's end."""
        self._open[attempt.call_id] = attempt
        self._has_any.set()

    def drop(self, call_id: Id) -> None:
        """Somebody else tells what became of it."""
        self._open.pop(call_id, None)

    async def run(self) -> None:
        """Until it is broken off."""
        while True:
            if not self._open:
                self._has_any.clear()
                await self._has_any.wait()
            try:
                await self._look(list(self._open.values()))
            except AWAY as error:
                logger.warning("a campaign's calls cannot be looked up", extra={"problem": type(error).__name__})
            await asyncio.sleep(LOOK_S)

    async def _look(self, attempts: Sequence[OpenAttempt]) -> None:
        states = await self._calls.states([attempt.call_id for attempt in attempts])
        now = self._now()
        for attempt in attempts:
            event = came_of(attempt, states.get(attempt.call_id), now, self._doubt)
            if event is not None and self._open.pop(attempt.call_id, None) is not None:
                self._tell(event)
