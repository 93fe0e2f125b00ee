"""Campaigns. What people decide is written here first; their actors find it, and write what they come to."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from models.campaign import Campaign, CampaignCounters, CampaignStatus, Change
from models.document import Id
from stores.mongo import Database, repeatable
from stores.repository import NEWEST_FIRST, Page, Repository, Shape, Where, given

KEPT_CHANGES = 200
OLDEST_FIRST = (("updatedAt", ASCENDING),)
OPEN = tuple(status for status in CampaignStatus if not status.is_final)
BEGUN = (CampaignStatus.SCHEDULED, CampaignStatus.RUNNING)
DISCARDABLE = (CampaignStatus.DRAFT, *(status for status in CampaignStatus if status.is_final))
MOMENTS = {
    CampaignStatus.RUNNING: "startedAt",
    CampaignStatus.COMPLETED: "endedAt",
    CampaignStatus.STOPPED: "endedAt",
}

SHAPE = Shape(
    collection="campaigns",
    document=Campaign,
    noun="Campaign",
    taken="Campaign already exists",
    indexes=(
        IndexModel([("organizationId", ASCENDING), *NEWEST_FIRST]),
        IndexModel([("organizationId", ASCENDING), ("status", ASCENDING), *NEWEST_FIRST]),
        # As small as what has to be seen to at the moment.
        IndexModel([("updatedAt", ASCENDING)], partialFilterExpression={"needsRunner": True}),
        IndexModel([("createdAt", ASCENDING)], partialFilterExpression={"untold": True}),
    ),
    deletable=True,
)


class Campaigns(Repository[Campaign]):
    """Methods that take no organization serve the campaign's actor and the sweep."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def search(
        self,
        organization_id: Id,
        *,
        status: CampaignStatus | None = None,
        agent_id: str | None = None,
        page: int,
        limit: int,
    ) -> Page[Campaign]:
        """Campaigns that match, newest first."""
        return await self.page(organization_id, given(status=status, agentId=agent_id), page=page, limit=limit)

    async def by_id(self, campaign_id: Id) -> Campaign | None:
        """For its actor."""
        return await self._one({"_id": campaign_id})

    async def become(
        self,
        campaign: Campaign,
        status: CampaignStatus,
        now: datetime,
        *,
        since: Collection[CampaignStatus],
        reason: str | None = None,
        by: Id | None = None,
    ) -> Campaign | None:
        """Move on from one of the statuses `since`, once; None: not so. `by`: the user who decided, None: its actor.

        None when it stands somewhere else, has changed since it was read, or, for a campaign that would be complete,
        when there is news that its actor has not seen, such as new contacts: it is to be read again. A user's decision
        is news for the actor, and asks for one.
        """
        number = max((each.number for each in campaign.changes), default=0) + 1
        change = Change(number=number, status=status, reason=reason, at=now, by=by)
        fields: dict[str, Any] = {"status": status, "statusReason": reason, "untold": True}
        if status in MOMENTS and (status is not CampaignStatus.RUNNING or campaign.started_at is None):
            fields[MOMENTS[status]] = now
        # The first of two attempts may have arrived; a change of the same number by somebody else is another change.
        same = {"changes": {"$elemMatch": {"number": number, "status": status, "at": now, "by": by}}}
        fresh: dict[str, Any] = {"status": {"$in": list(since)}, "changes.number": {"$ne": number}}
        if status is CampaignStatus.COMPLETED:
            fresh["news"] = campaign.news
        pushed = {"changes": {"$each": [change.model_dump(by_alias=True)], "$slice": -KEPT_CHANGES}}
        written = await self._changed({"_id": campaign.id, **fresh}, {"$push": pushed, **_news(fields, now, by)})
        return written or await self._one({"_id": campaign.id, **same})

    async def change_rules(
        self,
        organization_id: Id,
        campaign_id: str,
        fields: Mapping[str, Any],
        now: datetime,
        by: Id,
        *,
        since: Collection[CampaignStatus] = OPEN,
        news: int | None = None,
    ) -> Campaign | None:
        """Set fields of a campaign, which its actor has to know; None: its status is none of `since`. Raises NotFound.

        `since` is, unless it says less, every status of a campaign that is not over. `news`: as many as whoever has
        made up the fields had seen; None too when there are more by now.
        """
        scope = self._of(organization_id, {"_id": campaign_id})
        asked = {**scope, "status": {"$in": list(since)}, **given(news=news)}
        changed = await self._changed(asked, _news(dict(fields), now, by, asks=False))
        if changed is None:
            self._found(await self._one(scope))
        return changed

    async def discard(self, organization_id: Id, campaign_id: str, now: datetime, by: Id) -> bool:
        """Delete a campaign that never began, or is over, told of, and nobody's work any more; False: it is neither.

        Raises NotFound.
        """
        scope = self._of(organization_id, {"_id": campaign_id})
        unneeded = {"status": {"$in": DISCARDABLE}, "needsRunner": False, "untold": False}
        mark = {"isDeleted": True, "updatedAt": now, "modifiedBy": by}
        if await self._changed({**scope, **unneeded}, {"$set": mark}) is not None:
            return True
        # The first of two attempts, before a connection that broke, may have arrived.
        if await repeatable(lambda: self._rows.find_one({**scope, **mark}, {"_id": True})) is not None:
            return True
        self._found(await self._one(scope))
        return False

    async def stir(self, campaign_id: Id, now: datetime) -> None:
        """Its actor has something to look at, such as new contacts; that of a paused campaign when it goes on."""
        for status, asks in ((BEGUN, True), ((CampaignStatus.PAUSED,), False)):
            await self._changed({"_id": campaign_id, "status": {"$in": status}}, _news({}, now, None, asks=asks))

    # --- for its actor, and whoever starts those ---------------------------------------------------------
    async def to_run(self, by: datetime, limit: int = 1000) -> list[Campaign]:
        """Those that need an actor by then."""
        return await self._many({"needsRunner": True, "wakeAt": {"$not": {"$gt": by}}}, sort=OLDEST_FIRST, limit=limit)

    async def take(self, campaign_id: Id, runner: str, now: datetime) -> Campaign | None:
        """Give it to this life of its actor, and to no earlier one; the campaign as it is then. None: it is gone."""
        return await self._changed({"_id": campaign_id}, {"$set": {"runner": runner, "wakeAt": None, "updatedAt": now}})

    async def rest(self, campaign: Campaign, now: datetime, until: datetime | None = None) -> bool:
        """Note that no actor is needed, or none before `until`; False: there is news that the actor has not seen, or
        another has it by now.
        """
        where = {"_id": campaign.id, "news": campaign.news, "runner": campaign.runner}
        fields = {"needsRunner": until is not None, "wakeAt": until, "updatedAt": now}
        return await self._changed(where, {"$set": fields}) is not None

    async def save_counters(
        self, campaign_id: Id, counters: CampaignCounters, now: datetime, *, runner: str | None = None
    ) -> bool:
        """Note how far it is. `runner`: the life of its actor that counted; False: another has it by now."""
        fields = {"counters": counters.model_dump(by_alias=True), "updatedAt": now}
        where = {"_id": campaign_id, **({} if runner is None else {"runner": runner})}
        return await self._changed(where, {"$set": fields}) is not None

    # --- telling of it ---------------------------------------------------------------------------------------
    async def untold(self, limit: int) -> list[Campaign]:
        """Campaigns with changes that webhooks may not have been told, the oldest first."""
        return await self._many({"untold": True}, sort=(("createdAt", ASCENDING),), limit=limit)

    async def all_told(self, campaign: Campaign) -> None:
        """Note that all changes in `campaign` are told; when there is one more by now, nothing is noted."""
        last = max((each.number for each in campaign.changes), default=0)
        await self._changed(
            {"_id": campaign.id, "changes.number": {"$not": {"$gt": last}}}, {"$set": {"untold": False}}
        )


def _news(fields: dict[str, Any], now: datetime, by: Id | None, *, asks: bool | None = None) -> Where:
    """An update with these fields, upon which its actor wakes. `asks` for one: None means a user's decision does."""
    if by is not None:
        fields["modifiedBy"] = by
    if asks or (asks is None and by is not None):
        fields["needsRunner"] = True
    update: dict[str, Any] = {"$set": {**fields, "wakeAt": None, "updatedAt": now}}
    if asks is not None or by is not None:
        update["$inc"] = {"news": 1}
    return update
