"""Users. Who someone is has to be found before the organization is known, so two look-ups have no tenant."""

from pymongo import ASCENDING, IndexModel

from models.user import User
from stores.mongo import Database
from stores.repository import Repository, Shape

SHAPE = Shape(
    collection="users",
    document=User,
    noun="User",
    taken="Email already registered",
    indexes=(
        IndexModel([("email", ASCENDING)], unique=True),
        IndexModel([("organizationId", ASCENDING)]),
    ),
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
