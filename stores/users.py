"""Users. Who someone is has to be found before the organization is known, so two look-ups have no tenant."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from models.document import Id
from models.user import User
from stores.mongo import Database, repeatable
from stores.repository import PRESENT, Page, Repository, Shape, Where

SHAPE = Shape(
    collection="users",
    document=User,
    noun="User",
    taken="Email already registered",
    indexes=(
        # Partial: a deleted user sets their address free.
        IndexModel([("email", ASCENDING)], name="email_present", unique=True, partialFilterExpression=PRESENT),
        IndexModel([("organizationId", ASCENDING)]),
    ),
    deletable=True,
    retired_indexes=("email_1",),
)


class Users(Repository[User]):
    """E-mail addresses are unique over all organizations and kept in lower case."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def by_email(self, email: str) -> User | None:
        """The user who logs in with this address, in any case."""
        return await self._one({"email": email.lower()})

    async def by_id(self, user_id: str) -> User | None:
        """The user a verified token names."""
        return await self._one({"_id": user_id})

    async def listed(self, organization_id: Id, *, page: int, limit: int) -> Page[User]:
        """The organization's members, newest first."""
        return await self.page(organization_id, {}, page=page, limit=limit)

    async def make_admin(self, email: str, now: datetime) -> User:
        """Give the user with this address the role on the installation; raises NotFound."""
        admin = {"$set": {"role": "admin", "updatedAt": now}}
        return self._found(await self._changed({"email": email.lower()}, admin))

    # --- the last owner -------------------------------------------------------------------------------
    # Who takes an owner's role away says so first, counts the owners nobody is after, and then does it or does not.
    # Of two owners who demote each other each finds the other one spoken for. Whatever order the steps take, the
    # attempt that comes last sees that it is. An attempt that was cut short leaves the owner as they were, uncounted
    # until their role is set again.
    async def retire(self, organization_id: Id, user_id: Id, attempt: Id) -> None:
        """Announce an attempt; an earlier one on the same user that is still under way will fail."""
        scope = self._of(organization_id, {"_id": user_id})
        await repeatable(lambda: self._rows.update_one(scope, {"$set": {"retiring": attempt}}))

    async def has_other_owners(self, organization_id: Id) -> bool:
        """Whether there is an owner nobody is after."""
        owner = {"organizationRole": "owner", "isActive": True, "retiring": None}
        return await self._one(self._of(organization_id, owner)) is not None

    async def spare(self, organization_id: Id, user_id: Id, attempt: Id) -> None:
        """Give an attempt up."""
        scope = self._of(organization_id, {"_id": user_id, "retiring": attempt})
        await repeatable(lambda: self._rows.update_one(scope, {"$set": {"retiring": None}}))

    async def change_if_same(
        self, user: User, fields: Where, now: datetime, by: Id, *, attempt: Id | None
    ) -> User | None:
        """Set fields if role and activity are what they were, and no other attempt took this one's place; else None."""
        same: dict[str, object] = {"organizationRole": user.organization_role, "isActive": user.is_active}
        if attempt is not None:
            same["retiring"] = attempt
        change = {**fields, "retiring": None, "updatedAt": now, "modifiedBy": by}
        return await self._changed(self._of(user.organization_id, {"_id": user.id, **same}), {"$set": change})
