"""Room for a call before a phone rings for it, and what becomes of a call there is no room for."""

import logging
from datetime import datetime

from models.call import Call, CallStatus, Direction, SessionId
from models.errors import NoCapacity
from models.settings import Settings
from services import call_events
from services.control import Capacity
from services.meters import count
from services.sweeper import MARGIN_S
from stores.calls import Calls
from stores.events import Events

logger = logging.getLogger(__name__)

PATIENCE_S = 3.0
"""An outbound call rings nobody yet, so it may wait for an actor that is being started; an inbound one may not."""
ANNOUNCED_S = 30.0
"""A carrier that has announced a call connects its media within 10 s, or 10 s later at the second attempt."""
NO_CAPACITY = "no-capacity"
"""The `endReason` of an inbound call that was turned away."""


class Reservations:
    """Keeps an actor per call. Whoever closes a call that nobody carried frees its room; but for the sweeper, which
    closes calls that have rung out: at that moment a reservation lapses by itself."""

    def __init__(self, settings: Settings, capacity: Capacity, calls: Calls, events: Events) -> None:
        self._ring_timeout_s = settings.ring_timeout_s
        self._capacity = capacity
        self._calls = calls
        self._events = events

    async def to_dial(self, session_id: SessionId) -> str:
        """The pool that keeps an actor for a call we make, until nobody can answer it any more; raises NoCapacity."""
        return await self._kept(session_id, "outbound", for_s=self._ring_timeout_s + MARGIN_S, patience_s=PATIENCE_S)

    async def to_answer(self, session_id: SessionId) -> str:
        """The pool that keeps an actor for a call that rings at the carrier; raises NoCapacity at once."""
        return await self._kept(session_id, "inbound", for_s=ANNOUNCED_S, patience_s=0.0)

    async def free(self, call: Call) -> None:
        """The call will not come. Raises nothing, and may be repeated."""
        if call.pool is not None:
            await self._capacity.cancel(call.pool, call.session_id)

    async def turn_away(self, call: Call, now: datetime) -> Call:
        """Log a call there is no room for: over at once, as busy. Nothing is held for it, so nothing is settled.

        Raises Conflict when the carrier's call is in the log already.
        """
        over = {"status": CallStatus.BUSY, "end_reason": NO_CAPACITY, "ended_at": now}
        refused = call.model_copy(update={**over, "duration_sec": 0, "charged_micros": 0})
        await self._calls.insert(refused)
        await self._events.publish(refused.session_id, call_events.ENDED, call_events.ended(refused))
        return refused

    async def _kept(self, session_id: SessionId, direction: Direction, *, for_s: float, patience_s: float) -> str:
        try:
            return await self._capacity.reserve(session_id, for_s=for_s, patience_s=patience_s)
        except NoCapacity as full:
            count("calls_refused_total", direction=direction, reason=full.reason)
            logger.warning("there is no room for a call", extra={"direction": direction, "reason": full.reason})
            raise


def was_turned_away(call: Call) -> bool:
    """Whether there was no room for the call when it came in."""
    return call.status is CallStatus.BUSY and call.end_reason == NO_CAPACITY
