"""Login sessions. Each change is one conditional update, so whoever asks twice or at the same time gets one outcome."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from models.document import Id
from models.session import Session
from stores.mongo import Database, repeatable
from stores.repository import Repository, Shape

SHAPE = Shape(
    collection="sessions",
    document=Session,
    noun="Session",
    taken="Session already exists",
    indexes=(IndexModel([("organizationId", ASCENDING), ("userId", ASCENDING), ("expiresAt", ASCENDING)]),),
)


class Sessions(Repository[Session]):
    """Verified tokens say which organization they are of, so every query is a tenant's."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def find(self, organization_id: Id, session_id: Id) -> Session | None:
        """The session a verified token names."""
        return await self._one(self._of(organization_id, {"_id": session_id}))

    async def succeed(
        self,
        organization_id: Id,
        session_id: Id,
        *,
        generation: int,
        token_id: str,
        expires_at: datetime,
        now: datetime,
    ) -> Session | None:
        """Put the next generation's token in the present one's place.

        None: the session ended, or another token of that generation was first.
        """
        present = {"_id": session_id, "generation": generation - 1, "revokedAt": None}
        token = {"generation": generation, "tokenId": token_id, "expiresAt": expires_at, "updatedAt": now}
        return await self._changed(self._of(organization_id, present), {"$set": token})

    async def revoke(self, organization_id: Id, session_id: Id, now: datetime) -> None:
        """End a session; one that has ended stays as it is."""
        await self._revoke(organization_id, {"_id": session_id}, now)

    async def revoke_all(self, organization_id: Id, user_id: Id, now: datetime, *, but: Id | None = None) -> None:
        """End all of a user's sessions, except one."""
        await self._revoke(organization_id, {"userId": user_id, "_id": {"$ne": but}}, now)

    async def forget(self, organization_id: Id, user_id: Id, expired_before: datetime) -> None:
        """Remove a user's sessions that no token can belong to any more."""
        old = self._of(organization_id, {"userId": user_id, "expiresAt": {"$lt": expired_before}})
        await repeatable(lambda: self._rows.delete_many(old))

    async def _revoke(self, organization_id: Id, where: dict[str, object], now: datetime) -> None:
        scope = self._of(organization_id, {**where, "revokedAt": None})
        ended = {"$set": {"revokedAt": now, "updatedAt": now}}
        await repeatable(lambda: self._rows.update_many(scope, ended))
