"""The services of a process on Ray: with the cluster's call actors and ledger behind them. For replicas and actors."""

from dataclasses import dataclass

from actors.billing.client import LedgerClient
from actors.campaigns import CampaignHandles
from actors.handles import CallHandles
from models.settings import Settings
from providers.roles import Telephony
from providers.webhooks import Post
from services.container import Services, build_services
from stores.events import Events
from stores.limits import Limits
from stores.mongo import Database

CARRIER = "exotel"
"""Whom calls are made through."""


@dataclass(frozen=True, slots=True)
class OnRay:
    """The services, and those whom they reach through Ray."""

    services: Services
    handles: CallHandles
    campaigns: CampaignHandles
    credit: LedgerClient


def on_ray(
    settings: Settings, data: Database, *, carrier: Telephony, events: Events, limits: Limits, post: Post | None = None
) -> OnRay:
    """All of it for this process; touches no network. `post`: see `build_services`."""
    handles, campaigns, credit = CallHandles(settings), CampaignHandles(settings), LedgerClient(settings)
    services = build_services(
        settings,
        data,
        control=handles,
        credit=credit,
        telephony=carrier,
        events=events,
        limits=limits,
        post=post,
        campaigns=campaigns,
    )
    return OnRay(services, handles, campaigns, credit)
