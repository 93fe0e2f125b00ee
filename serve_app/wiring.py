"""The composition root of a Serve replica: everything the edge is made of, built once and closed together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from actors import metrics
from actors.billing.client import LedgerClient
from actors.handles import CallHandles
from models.settings import Settings
from providers.registry import telephony
from providers.webhooks import WebhookPost, webhook_post
from serve_app.media import Media
from serve_app.realtime import Realtime
from serve_app.rounds import Rounds
from serve_app.schedule_rounds import ScheduleRounds
from serve_app.webhook_rounds import WebhookRounds
from services import traces
from services.call_log import CallLog
from services.container import Services, build_services
from services.schedule_runner import ScheduleRunner
from services.webhook_runner import WebhookRunner
from services.webhook_sending import WebhookSending
from stores.events import Events
from stores.limits import Limits
from stores.mongo import Database, connect, database
from stores.repositories import Repositories
from stores.secrets import Secrets

CARRIER = "exotel"


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
        edge = _build(settings, database(client, settings), events, limits, post)
        async with (
            edge.realtime.running(),
            Rounds(settings, edge.services.sweeper, utc_now).running(),
            _webhooks(settings, database(client, settings), edge.services, post).running(),
            _schedules(database(client, settings), edge.services).running(),
        ):
            yield edge
    finally:
        await post.aclose()
        await limits.close()
        await events.close()
        await client.close()


def _build(settings: Settings, data: Database, events: Events, limits: Limits, post: WebhookPost) -> Edge:
    handles = CallHandles(settings)
    credit = LedgerClient(settings)
    services = build_services(
        settings,
        data,
        control=handles,
        credit=credit,
        telephony=telephony(CARRIER, settings),
        events=events,
        limits=limits,
        post=post,
    )
    repositories = Repositories.over(data)
    log = CallLog(repositories.calls, credit, events, services.webhook_events)
    return Edge(
        services=services,
        media=Media(services.carriage, log, handles, utc_now),
        realtime=Realtime(settings.redis_url or "", services.auth, services.calls, utc_now),
    )


def _webhooks(settings: Settings, data: Database, services: Services, post: WebhookPost) -> WebhookRounds:
    sending = WebhookSending(Secrets(settings.encryption_key), post)
    runner = WebhookRunner(Repositories.over(data), sending, utc_now)
    return WebhookRounds(services.webhook_events, runner, utc_now)


def _schedules(data: Database, services: Services) -> ScheduleRounds:
    return ScheduleRounds(ScheduleRunner(Repositories.over(data), services.calls), utc_now)
