"""One call on its carrier's socket: carried by one call actor after another, should they die, until it is over.

The carrier hears of none of it. The new actor takes the call in the store, is told what of the carrier's words is in
no log yet, and goes on. Where nobody can go on, the call's log is closed here.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from actors.call_session.pool import Lease
from models.call import Call, CallStatus
from models.errors import Conflict, NoCapacity
from serve_app.relay import Carrier, Ending
from services import meters
from services.call_log import CallLog
from services.carriage import Carriage, TakeOvers
from stores.calls import ANY_LIVE, Still
from stores.outage import AWAY

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""How long a carrier is kept waiting for another actor: the pools start one in place of each that is lost."""
RETRY_S = 0.25
FAREWELL_S = 0.5
"""How long the pool of a lost actor is waited for: with a node that is gone its pool is as well."""
FOR_NOW: tuple[type[Exception], ...] = (NoCapacity, Conflict, *AWAY)
"""What may be different in a moment."""
MEDIA_CLOSED = "media_closed"
REASONS = {Ending.ACTOR_LOST: "call_actor_lost", Ending.NO_CAPACITY: "no-capacity"}


class CallActors(Protocol):
    """What the media socket needs of the actors."""

    async def lease(self, call: Call, by: str) -> Lease:
        """A warm actor that waits for the call, for this socket only. Raises NoCapacity, and Conflict while another is
        known to have it.
        """

    async def release(self, lease: Lease) -> None:
        """Give it back. Raises nothing."""

    async def lost(self, lease: Lease) -> None:
        """Its connection broke in the middle of the call: it is not to be had by anybody any more. Raises nothing."""


class LiveCall:
    """The life of one call here. `now` is the clock."""

    def __init__(
        self,
        call: Call,
        carrier: Carrier,
        *,
        carriage: Carriage,
        log: CallLog,
        actors: CallActors,
        now: Callable[[], datetime],
    ) -> None:
        self._call = call
        self._carrier = carrier
        self._carriage = carriage
        self._log = log
        self._actors = actors
        self._now = now
        self._name = uuid.uuid4().hex
        self._take_overs = TakeOvers()
        self._held: Lease | None = None
        self._farewells: list[asyncio.Task[None]] = []
        self._lost_at: float | None = None
        """On the process's clock; None: nobody is lost, or another has gone on."""

    async def run(self) -> Ending:
        """Have the call carried to its end. NoCapacity: nobody could begin; Conflict: another socket has the call."""
        try:
            actor = await self._first_actor()
            while not await self._carrier.carried_by(actor.endpoint, self._on_sign):
                another = await self._go_on(actor)
                if isinstance(another, Ending):
                    return another
                actor = another
            return self._carrier.gone or Ending.CALL_OVER
        finally:
            if self._held is not None:
                await self._actors.release(self._held)
            await asyncio.gather(*self._farewells)

    async def _first_actor(self) -> Lease:
        try:
            lease = self._held = await self._actors.lease(self._call, self._name)
        except NoCapacity as error:
            meters.count("calls_refused_total", direction=self._call.direction, reason=error.reason)
            # Uncarried: a second socket for the same call, with no actor left for it, does not end the first one's.
            await self._close_log(CallStatus.FAILED, REASONS[Ending.NO_CAPACITY], still=Still(uncarried=True))
            raise
        if await self._carriage.claim(self._call.session_id, lease.actor, self._now()) is None:
            raise Conflict("Call is already connected")
        return lease

    # --- when an actor is lost --------------------------------------------------------------------------
    async def _go_on(self, lost: Lease) -> Lease | Ending:
        """The actor that goes on with the call; an Ending when none does, and the log is closed."""
        await self._part_from(lost)
        ending = Ending.ACTOR_LOST
        if self._take_overs.begin(self._now()):
            another = await self._next_actor(lost, time.monotonic() + PATIENCE_S)
            if not isinstance(another, Ending):
                return another
            ending = another
        await self._end(ending)
        return ending

    async def _part_from(self, lost: Lease) -> None:
        """Tell its pool, which lends no second actor to a call that it believes to be carried."""
        logger.warning("a call actor was lost", extra={"call_id": self._call.id, "actor": lost.actor})
        self._held = None
        self._lost_at = self._lost_at or time.monotonic()
        farewell = asyncio.create_task(self._actors.lost(lost))
        self._farewells.append(farewell)
        await asyncio.wait({farewell}, timeout=FAREWELL_S)

    async def _next_actor(self, lost: Lease, until: float) -> Lease | Ending:
        """Ask until there is one, on the process's clock, or until the carrier has gone."""
        while (gone := self._carrier.gone) is None:
            try:
                lease = self._held = self._held or await self._actors.lease(self._call, self._name)
                taken = await self._carriage.take_over(self._call.session_id, lost.actor, lease.actor, self._now())
            except FOR_NOW as error:
                if time.monotonic() > until:
                    return Ending.NO_CAPACITY if isinstance(error, NoCapacity) else Ending.ACTOR_LOST
                await self._carrier.wait(RETRY_S)
            else:
                self._call = taken or self._call
                return lease if taken is not None else Ending.CALL_OVER
        return gone

    def _on_sign(self) -> None:
        """The actor says something. After a loss it is the sign that the call goes on."""
        if self._lost_at is None:
            return
        gap_ms = int((time.monotonic() - self._lost_at) * 1000)
        self._lost_at = None
        meters.count("calls_resumed_total")
        logger.warning(
            "another actor goes on with a call",
            extra={"call_id": self._call.id, "gap_ms": gap_ms, "dropped": self._carrier.dropped},
        )

    # --- when nobody goes on ----------------------------------------------------------------------------
    async def _end(self, ending: Ending) -> None:
        match ending:
            case Ending.CALL_OVER:
                return  # whoever ended it has closed the log
            case Ending.ACTOR_LOST | Ending.NO_CAPACITY:
                await self._close_log(CallStatus.FAILED, REASONS[ending])
            case _:
                was_answered = (await self._carriage.stored(self._call.session_id)).started_at is not None
                status = CallStatus.COMPLETED if was_answered else CallStatus.FAILED
                await self._close_log(status, MEDIA_CLOSED)

    async def _close_log(self, status: CallStatus, reason: str, still: Still = ANY_LIVE) -> None:
        await self._log.finish(self._call, status=status, reason=reason, now=self._now(), still=still)
