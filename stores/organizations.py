"""Organizations. An organization is its own tenant: each method takes its id."""

from models.document import Id
from models.organization import Organization
from stores.mongo import Database
from stores.repository import Repository, Shape

SHAPE = Shape(
    collection="organizations",
    document=Organization,
    noun="Organization",
    taken="Organization already exists",
)


class Organizations(Repository[Organization]):
    """What they own is in the other repositories, what they have in the ledger."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def fetch(self, organization_id: Id) -> Organization:
        """The organization; raises NotFound."""
        return self._found(await self._one({"_id": organization_id}))

    async def remove(self, organization_id: Id) -> None:
        """Undo an insert whose first user could not be stored."""
        await self._rows.delete_one({"_id": organization_id})
