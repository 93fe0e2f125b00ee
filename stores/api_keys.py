"""API keys. Whose a key is has to be found before the organization is known, so that look-up has no tenant."""

from datetime import datetime, timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.api_key import ApiKey
from models.document import Id
from stores.mongo import Database, repeatable
from stores.repository import Page, Repository, Shape

SHAPE = Shape(
    collection="apiKeys",
    document=ApiKey,
    noun="API key",
    taken="API key already exists",
    indexes=(
        IndexModel([("digest", ASCENDING)], unique=True),
        IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING)]),
    ),
    deletable=True,
)

USE_NOTED_EVERY = timedelta(minutes=1)


class ApiKeys(Repository[ApiKey]):
    """A revoked key is a deleted one: no query finds it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def by_digest(self, digest: str) -> ApiKey | None:
        """The key that was shown once and has this digest."""
        return await self._one({"digest": digest})

    async def listed(self, organization_id: Id, *, page: int, limit: int) -> Page[ApiKey]:
        """The organization's keys, newest first."""
        return await self.page(organization_id, {}, page=page, limit=limit)

    async def note_use(self, key: ApiKey, now: datetime) -> None:
        """Keep when the key was last used, to the minute, whoever else notes it at the same time."""
        before = now - USE_NOTED_EVERY
        if key.last_used_at is not None and key.last_used_at > before:
            return
        stale = self._of(
            key.organization_id, {"_id": key.id, "$or": [{"lastUsedAt": None}, {"lastUsedAt": {"$lte": before}}]}
        )
        await repeatable(lambda: self._rows.update_one(stale, {"$set": {"lastUsedAt": now}}))

    async def revoke_all(self, organization_id: Id, user_id: Id, now: datetime, by: Id) -> None:
        """Revoke every key a user made."""
        scope = self._of(organization_id, {"userId": user_id})
        revoked = {"$set": {"isDeleted": True, "updatedAt": now, "modifiedBy": by}}
        await repeatable(lambda: self._rows.update_many(scope, revoked))
