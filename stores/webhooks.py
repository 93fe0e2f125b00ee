"""Webhook endpoints: whom each organization has told of events."""

from datetime import datetime, timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.document import Id
from models.webhook import WebhookEndpoint
from stores.mongo import Database, repeatable
from stores.repository import Page, Repository, Shape

SHAPE = Shape(
    collection="webhookEndpoints",
    document=WebhookEndpoint,
    noun="Webhook",
    taken="Webhook already exists",
    indexes=(IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING), ("_id", DESCENDING)]),),
    deletable=True,
)

MOST = 50
"""Endpoints of an organization."""


class WebhookEndpoints(Repository[WebhookEndpoint]):
    """The methods without an organization are for those who deliver."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def listed(self, organization_id: Id, *, page: int, limit: int) -> Page[WebhookEndpoint]:
        """The organization's endpoints, newest first."""
        return await self.page(organization_id, {}, page=page, limit=limit)

    async def interested(self, organization_id: Id) -> list[WebhookEndpoint]:
        """The organization's endpoints that are on."""
        scope = self._of(organization_id, {"isActive": True})
        return await self._many(scope, sort=(("createdAt", ASCENDING),), limit=MOST)

    async def by_id(self, endpoint_id: Id) -> WebhookEndpoint | None:
        """One of anybody's; None when it was deleted."""
        return await self._one({"_id": endpoint_id})

    async def note_success(self, endpoint: WebhookEndpoint) -> None:
        """Something has reached it: its run of failures is over."""
        if endpoint.failing_since is not None:
            where = {"_id": endpoint.id, "failingSince": {"$ne": None}}
            await repeatable(lambda: self._rows.update_one(where, {"$set": {"failingSince": None}}))

    async def note_failure(self, endpoint: WebhookEndpoint, now: datetime) -> None:
        """Something has not: its run of failures begins now, unless it has begun."""
        if endpoint.failing_since is None:
            where = {"_id": endpoint.id, "failingSince": None}
            await repeatable(lambda: self._rows.update_one(where, {"$set": {"failingSince": now}}))

    async def give_up(self, endpoint_id: Id, now: datetime, after: timedelta) -> WebhookEndpoint | None:
        """Switch it off if it is on and has failed for so long; None: it is not, or somebody else just did."""
        where = {"_id": endpoint_id, "isActive": True, "failingSince": {"$lte": now - after}}
        return await self._changed(where, {"$set": {"isActive": False, "disabledAt": now, "updatedAt": now}})
