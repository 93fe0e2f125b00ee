"""The background work of a replica for webhooks, on a virtual clock."""

import asyncio
from typing import Any, cast

from models.metrics import Metric
from serve_app.rounds import AGAIN_S
from serve_app.webhook_rounds import LOOK_S, SWEEP_S, WebhookRounds
from services import meters
from services.campaign_webhooks import CampaignWebhooks
from services.webhook_events import WebhookEvents
from services.webhook_runner import WebhookRunner
from tests.documents import NOW
from tests.virtual_time import virtual


class Work:
    """Plays the runner and the events; counts what it is asked, and fails where told to."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[str] = []
        self.failures = failures

    async def fill(self) -> int:
        return self._noted("fill")

    async def landed(self, within_s: float) -> None:
        await asyncio.sleep(within_s)

    async def waiting(self) -> int:
        return 7 + self._noted("waiting")

    async def aclose(self) -> None:
        self._noted("aclose")

    async def sweep(self, _: Any) -> int:
        return self._noted("sweep")

    async def forget(self, _: Any) -> None:
        self._noted("forget")

    def _noted(self, what: str) -> int:
        self.asked.append(what)
        if what == "sweep" and self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        return 0


class Campaigns:
    """Plays what campaigns owe."""

    def __init__(self) -> None:
        self.swept = 0

    async def sweep(self, _: Any) -> int:
        self.swept += 1
        return 0


class Sink:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.got: list[tuple[str, float]] = []

    def record(self, metric: Metric, value: float, tags: Any) -> None:
        self.got.append((metric.name, value))


def rounds(work: Work, campaigns: Campaigns | None = None) -> WebhookRounds:
    swept = cast("CampaignWebhooks", campaigns or Campaigns())
    return WebhookRounds(cast("WebhookEvents", work), cast("WebhookRunner", work), lambda: NOW, swept)


@virtual
async def test_it_delivers_sweeps_counts_and_forgets() -> None:
    work, sink = Work(), Sink()
    before = meters.use(sink)
    try:
        async with rounds(work).running():
            await asyncio.sleep(9.9)
    finally:
        meters.use(before)
    assert [work.asked.count(what) for what in ("sweep", "waiting", "forget", "aclose")] == [10, 2, 1, 1]
    assert work.asked.count("fill") == round(10 / LOOK_S)
    assert work.asked[-1] == "aclose"
    assert sink.got == [("webhook_queue", 7.0)] * 2


@virtual
async def test_a_round_that_broke_off_is_followed_by_another() -> None:
    work = Work(failures=2)
    async with rounds(work).running():
        await asyncio.sleep(2 * AGAIN_S + SWEEP_S / 2)
    assert (work.asked.count("sweep"), work.failures) == (3, 0)


@virtual
async def test_calls_that_cannot_be_swept_hold_up_no_campaign() -> None:
    campaigns = Campaigns()
    async with rounds(Work(failures=100), campaigns).running():
        await asyncio.sleep(9.9)
    assert campaigns.swept == 10
