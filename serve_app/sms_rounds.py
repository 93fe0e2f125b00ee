"""Text messages in the background of a replica: sending what is due, giving up what nobody knows of, telling of it.

Every replica does all three, and none needs another: messages are claimed, and telling twice changes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from services.webhook_runner import break_off

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""Between looks for messages that are due, while there is room or nothing to do."""
TELL_S = 2.0
GIVE_UP_S = 10.0
AGAIN_S = 2.0
"""After a round that broke off: the database is away."""


class Runner(Protocol):
    """Claims, sends, records: `services.sms_runner.SmsRunner`."""

    async def fill(self) -> int:
        """Begin what is due; how many."""

    async def landed(self, within_s: float) -> None:
        """Wait until one is done, or for so long."""

    async def give_up_unanswered(self) -> int:
        """Close what was left by senders that died; how many."""

    async def aclose(self) -> None:
        """Let go of what is under way."""


class Told(Protocol):
    """Tells webhooks what was not told at once: `services.webhook_events.WebhookEvents`."""

    async def sweep_messages(self, now: datetime) -> int:
        """Tell of messages that were sent; how many."""


class SmsRounds:
    """Runs between `running`'s begin and end. `now` is the clock."""

    def __init__(self, runner: Runner, events: Told, now: Callable[[], datetime]) -> None:
        self._runner = runner
        self._events = events
        self._now = now

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Rounds go on until the context is left; what is under way then is waited for a little."""
        rounds = ((self._send, 0.0), (self._tell, TELL_S), (self._give_up, GIVE_UP_S))
        tasks = [asyncio.create_task(_repeated(work, pause_s)) for work, pause_s in rounds]
        try:
            yield
        finally:
            await break_off(tasks)
            await self._runner.aclose()

    async def _send(self) -> None:
        await self._runner.fill()
        await self._runner.landed(within_s=LOOK_S)

    async def _tell(self) -> None:
        await self._events.sweep_messages(self._now())

    async def _give_up(self) -> None:
        await self._runner.give_up_unanswered()


async def _repeated(work: Callable[[], Awaitable[None]], pause_s: float) -> None:
    while True:
        try:
            await work()
            await asyncio.sleep(pause_s)
        except Exception:  # whatever it was, the next round must come
            logger.exception("a round of text messages broke off")
            await asyncio.sleep(AGAIN_S)
