"""What people have decided between two looks at a campaign, as events. Pure."""

from collections.abc import Mapping

from actors.campaign import protocol as p
from models.campaign import Campaign, CampaignStatus

DECISIONS: Mapping[CampaignStatus, p.Event] = {
    CampaignStatus.RUNNING: p.Resumed(),
    CampaignStatus.PAUSED: p.Paused(),
    CampaignStatus.STOPPED: p.Stopped(),
}


def news_of(before: Campaign, after: Campaign) -> list[p.Event]:
    """In the order in which it was decided; what the campaign came to by itself is no news."""
    if after.news == before.news:
        return []
    rules = [p.RulesChanged(after.rules)] if after.rules != before.rules else []
    known = last_change(before)
    decided = [
        DECISIONS[change.status]
        for change in after.changes
        if change.number > known and change.by is not None and change.status in DECISIONS
    ]
    return [*rules, *decided, p.ContactsAdded()]


def last_change(campaign: Campaign) -> int:
    """The number of the campaign's last change; 0: there was none."""
    return max((change.number for change in campaign.changes), default=0)
