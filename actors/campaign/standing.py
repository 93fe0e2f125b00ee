"""What a new life of a campaign's actor finds in the store."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actors.campaign import protocol as p
from actors.campaign.around import ContactStore
from actors.campaign.pacing import MINUTE
from actors.campaign.zones import date_at, start_of
from models.campaign import Campaign, Outcome, zone_of
from models.contact import Contact


async def standing_of(campaign: Campaign, contacts: ContactStore, now: datetime) -> p.Standing:
    """Raises what the store raises. Nobody else may begin attempts meanwhile."""
    zone = zone_of(campaign.rules.time_zone) or ZoneInfo("UTC")
    window = timedelta(seconds=campaign.rules.breaker.window_s)
    recent = await contacts.attempts_since(campaign.id, now - max(MINUTE, window))
    today = await contacts.dialled_since(campaign.id, start_of(zone, date_at(zone, now)))
    under_way = await contacts.under_way(campaign.id)
    return p.Standing(
        status=campaign.status,
        live=tuple(_live(under_way)),
        dialled_lately=tuple(at for at, came_to in recent if at > now - MINUTE and came_to is not Outcome.NOT_PLACED),
        dialled_today=today,
        # When they ended is not kept. They began before that, so some are forgotten a little early.
        ended_lately=tuple(
            (at, came_to) for at, came_to in recent if came_to is not None and came_to is not Outcome.NOT_PLACED
        ),
    )


def _live(under_way: Sequence[Contact]) -> list[p.Live]:
    return [
        p.Live(contact, attempt.number, attempt.at)
        for contact in under_way
        if (attempt := contact.open_attempt) is not None
    ]
