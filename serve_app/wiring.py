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
from serve_app.media import Media
from serve_app.realtime import Realtime
from serve_app.rounds import Rounds
from services import traces
from services.call_log import CallLog
from services.container import Services, build_services
from stores.events import Events
from stores.limits import Limits
from stores.mongo import Database, connect, database
from stores.repositories import Repositories

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
    events, limits = Events(redis_url), Limits(redis_url)
    try:
        edge = _build(settings, database(client, settings), events, limits)
        async with edge.realtime.running(), Rounds(settings, edge.services.sweeper, utc_now).running():
            yield edge
    finally:
        await limits.close()
        await events.close()
        await client.close()


def _build(settings: Settings, data: Database, events: Events, limits: Limits) -> Edge:
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
    )
    repositories = Repositories.over(data)
    log = CallLog(repositories.calls, credit, events)
    return Edge(
        services=services,
        media=Media(services.carriage, log, handles, utc_now),
        realtime=Realtime(settings.redis_url or "", services.auth, services.calls, utc_now),
    )
