"""The clock of the schedules. Every replica runs it, and all look at the same schedules; one of them dials.

Twice a second it looks ahead and claims what it finds; each claim then waits for its own moment. So a call is dialled
when it is due, not when somebody next looks, and of hundreds that are due at once none waits for the others' claims.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

from models.schedule import Schedule
from services.schedule_pace import Pace
from services.schedule_plan import NotYet, Result
from services.schedule_runner import Claim, Dealt

logger = logging.getLogger(__name__)

LOOK_S = 0.5
AHEAD_S = 2.0
"""How long before its time a schedule may be claimed."""
LOT = 100
"""Schedules that are claimed, or recorded, together."""
RECORD_S = 0.1
TURN_S = 0.1
"""Between looks at whether a pause after a refusal is over."""
AT_HAND = 1000
"""Schedules that wait for their moment or their turn in one replica; the rest waits in the store."""
LEAVE_S = 5.0
"""What is at hand when the replica closes has so long to come to its end."""


class Runner(Protocol):
    """Finds, claims, dials and records: `services.schedule_runner.ScheduleRunner`."""

    async def due(self, before: datetime, *, limit: int) -> Sequence[Schedule]:
        """Schedules that wake before then, the longest waiting first."""

    async def claim(self, seen: Sequence[Schedule], now: datetime) -> Sequence[Claim]:
        """Have them to ourselves, but for those that somebody else was first with."""

    async def dial(self, claim: Claim, now: datetime) -> Dealt | None:
        """Deal with one whose time has come; what is to be recorded of it."""

    async def record(self, dealt: Sequence[Dealt], now: datetime) -> None:
        """Write what became of them."""


class ScheduleRounds:
    """Runs in the background between `running`'s begin and end. `now` is the clock."""

    def __init__(self, runner: Runner, now: Callable[[], datetime]) -> None:
        self._runner = runner
        self._now = now
        self._pace = Pace()
        self._line = asyncio.Lock()
        self._over = asyncio.Event()
        self._at_hand: set[asyncio.Task[None]] = set()
        self._dealt: list[Dealt] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Schedules are fired until the context is left; those being fired then are waited for a little."""
        looking, recording = asyncio.create_task(self._run()), asyncio.create_task(self._keep_recording())
        try:
            yield
        finally:
            await _ended(looking)
            await self._leave()
            await _ended(recording)
            await self._record()

    async def _run(self) -> None:
        while True:
            are_more = False
            try:
                are_more = await self._look()
            except Exception:  # whatever it was, the next look must come
                logger.exception("schedules could not be looked at")
            await asyncio.sleep(0 if are_more else LOOK_S)

    async def _look(self) -> bool:
        """Take what wakes soon; whether there may be more, and room for it."""
        lot = min(LOT, self._pace.at_hand(AT_HAND, self._now()) - len(self._at_hand))
        if lot <= 0:
            return False
        seen = await self._runner.due(self._now() + timedelta(seconds=AHEAD_S), limit=lot)
        woken = {schedule.id: schedule.wake_at for schedule in seen}
        for claim in await self._runner.claim(seen, self._now()):
            task = asyncio.create_task(self._deal_with(claim, woken[claim.schedule.id]))
            self._at_hand.add(task)
            task.add_done_callback(self._at_hand.discard)
        return len(seen) == lot

    async def _deal_with(self, claim: Claim, wake_at: datetime | None) -> None:
        try:
            if wake_at is not None:
                await asyncio.sleep((wake_at - self._now()).total_seconds())
            waited_for = await self._turn(claim)
            if waited_for is not None:
                self._dealt.append(Dealt(claim.schedule, waited_for, self._now()))
                return
            dealt = await self._dialled(claim)
            if dealt is not None:
                self._dealt.append(dealt)
        except Exception:  # taken up again when its claim has run out
            logger.exception("a schedule could not be fired", extra={"schedule": claim.schedule.id})

    async def _turn(self, claim: Claim) -> NotYet | None:
        """Wait, first come, first served, until one more may be dialled; not None: it is not to wait any longer.

        One that was taken over waits on, as its call may have been made: that has to be found out.
        """
        since = self._now()
        async with self._line:
            while not self._pace.may_begin(self._now()):
                waited_for = self._pace.waited_for(since, self._now())
                if waited_for is not None and not claim.is_taken_over:
                    return waited_for
                self._over.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TURN_S):
                        await self._over.wait()
            self._pace.begun()
        return None

    async def _dialled(self, claim: Claim) -> Dealt | None:
        came_to: Result | NotYet | None = None
        try:
            dealt = await self._runner.dial(claim, self._now())
            came_to = None if dealt is None else dealt.came_to
        finally:
            self._pace.ended(came_to, self._now())
            self._over.set()
        return dealt

    async def _keep_recording(self) -> None:
        while True:
            await asyncio.sleep(RECORD_S)
            await self._record()

    async def _record(self) -> None:
        dealt, self._dealt = self._dealt, []
        for start in range(0, len(dealt), LOT):
            try:
                await self._runner.record(dealt[start : start + LOT], self._now())
            except asyncio.CancelledError:
                self._dealt = dealt[start:] + self._dealt
                raise
            except Exception:  # taken up again when their claims have run out: their calls will be found
                logger.exception("what became of schedules could not be recorded")

    async def _leave(self) -> None:
        """What is at hand comes to its end, or is cut: others take it up."""
        if self._at_hand:
            _, late = await asyncio.wait(self._at_hand, timeout=LEAVE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
