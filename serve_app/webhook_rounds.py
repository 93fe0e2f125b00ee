"""Webhooks in the background of a replica: delivering what is due, and sweeping up what was never told.

Every replica does both, and none needs another: deliveries are claimed, and sweeping twice changes nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from serve_app.rounds import repeated
from services import meters
from services.campaign_webhooks import CampaignWebhooks
from services.webhook_events import WebhookEvents
from services.webhook_runner import WebhookRunner

LOOK_S = 0.25
"""Between looks for deliveries that are due, while there is room or nothing to do."""
SWEEP_S = 1.0
COUNT_S = 5.0
FORGET_S = 600.0


class WebhookRounds:
    """Runs between `running`'s begin and end. `now` is the clock."""

    def __init__(
        self, events: WebhookEvents, runner: WebhookRunner, now: Callable[[], datetime], campaigns: CampaignWebhooks
    ) -> None:
        self._events = events
        self._campaigns = campaigns
        self._runner = runner
        self._now = now

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Rounds go on until the context is left; what is under way then is broken off, and made again elsewhere."""
        rounds = (
            (self._deliver, 0.0),
            (self._sweep, SWEEP_S),
            (self._sweep_campaigns, SWEEP_S),
            (self._count, COUNT_S),
            (self._forget, FORGET_S),
        )
        try:
            async with repeated(rounds):
                yield
        finally:
            await self._runner.aclose()

    async def _deliver(self) -> None:
        await self._runner.fill()
        await self._runner.landed(within_s=LOOK_S)

    async def _sweep(self) -> None:
        await self._events.sweep(self._now())

    async def _sweep_campaigns(self) -> None:
        await self._campaigns.sweep(self._now())

    async def _count(self) -> None:
        meters.set_to("webhook_queue", await self._runner.waiting())

    async def _forget(self) -> None:
        await self._events.forget(self._now())
