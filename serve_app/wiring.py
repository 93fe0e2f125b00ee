"""The composition root of a Serve replica: everything the edge is made of, built once and closed together."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from actors import metrics
from actors.composition import CARRIER, OnRay, on_ray
from models.settings import Settings
from providers.registry import telephony
from providers.webhooks import WebhookPost, webhook_post
from serve_app.campaign_rounds import ROUND_S, CampaignRounds
from serve_app.media import Media
from serve_app.realtime import Realtime
from serve_app.rounds import Rounds
from serve_app.schedule_rounds import ScheduleRounds
from serve_app.sms_rounds import SmsRounds
from serve_app.webhook_rounds import WebhookRounds
from services import traces
from services.call_addresses import CallAddresses
from services.call_log import CallLog
from services.container import Services
from services.schedule_runner import ScheduleRunner
from services.sms_runner import SmsRunner
from services.webhook_runner import WebhookRunner
from services.webhook_sending import WebhookSending
from stores.events import Events
from stores.limits import Limits
from stores.mongo import Database, connect, database
from stores.repositories import Repositories
from stores.secrets import Secrets

SWEEP_S = 5.0
"""Between looks for calls that nobody carries."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the site map (`app.py`) puts under its addresses."""

    services: Services
    media: Media
    realtime: Realtime


def utc_now() -> datetime:
    """The clock of the edge; everything below gets times as arguments."""
    return datetime.now(UTC)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Edge]:
    """The edge of this process, running; on leaving, everything it opened is closed."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # below that it prints every address, keys included
    metrics.export()
    traces.begin(settings)
    client, redis_url = connect(settings), settings.redis_url or ""
    events, limits, post = Events(redis_url), Limits(redis_url), webhook_post(settings)
    try:
        data = database(client, settings)
        carrier = telephony(CARRIER, settings)
        parts = on_ray(settings, data, carrier=carrier, events=events, limits=limits, post=post)
        edge = _build(settings, data, parts, events)
        campaigns = Repositories.over(data).campaigns
        async with (
            edge.realtime.running(),
            Rounds(settings, "sweep", SWEEP_S, lambda: edge.services.sweeper.sweep(utc_now())).running(),
            Rounds(settings, "campaigns", ROUND_S, CampaignRounds(campaigns, parts.campaigns, utc_now).round).running(),
            _webhooks(settings, database(client, settings), edge.services, post).running(),
            _schedules(database(client, settings), edge.services).running(),
            _messages(settings, database(client, settings), edge.services).running(),
        ):
            # What is there by now stays. Looked through again, as the many rows of an upload make the collector do, it
            # would hold up the media of every call for a quarter of a second.
            gc.collect()
            gc.freeze()
            yield edge
    finally:
        await post.aclose()
        await limits.close()
        await events.close()
        await client.close()


def _build(settings: Settings, data: Database, parts: OnRay, events: Events) -> Edge:
    services = parts.services
    log = CallLog(Repositories.over(data).calls, parts.credit, events, services.webhook_events)
    return Edge(
        services=services,
        media=Media(services.carriage, log, parts.handles, utc_now),
        realtime=Realtime(settings.redis_url or "", services.auth, services.calls, services.campaigns, utc_now),
    )


def _webhooks(settings: Settings, data: Database, services: Services, post: WebhookPost) -> WebhookRounds:
    sending = WebhookSending(Secrets(settings.encryption_key), post)
    runner = WebhookRunner(Repositories.over(data), sending, utc_now)
    return WebhookRounds(services.webhook_events, runner, utc_now, services.campaign_webhooks)


def _schedules(data: Database, services: Services) -> ScheduleRounds:
    return ScheduleRounds(ScheduleRunner(Repositories.over(data), services.calls), utc_now)


def _messages(settings: Settings, data: Database, services: Services) -> SmsRounds:
    runner = SmsRunner(
        Repositories.over(data),
        secrets=Secrets(settings.encryption_key),
        carrier=services.telephony,
        addresses=CallAddresses(settings),
        events=services.webhook_events,
        now=utc_now,
    )
    return SmsRounds(runner, services.webhook_events, utc_now)
