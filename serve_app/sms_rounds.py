"""Text messages in the background of a replica: sending what is due, giving up what nobody knows of, telling of it.

Every replica does all three, and none needs another: messages are claimed, and telling twice changes nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from serve_app.rounds import repeated

LOOK_S = 0.5
"""Between looks for messages that are due, while there is room or nothing to do."""
TELL_S = 2.0
GIVE_UP_S = 10.0


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
        try:
            async with repeated(rounds):
                yield
        finally:
            await self._runner.aclose()

    async def _send(self) -> None:
        await self._runner.fill()
        await self._runner.landed(within_s=LOOK_S)

    async def _tell(self) -> None:
        await self._events.sweep_messages(self._now())

    async def _give_up(self) -> None:
        await self._runner.give_up_unanswered()
