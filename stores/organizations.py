"""Organizations and their credit. An organization is its own tenant: each method takes its id first.

A call is charged by running total under `charged.<call id>`, so a repeated or late charge moves the balance by the
difference only. The entry is opened once, before the call is stored, and removed when the call is settled: without an
entry nothing is charged, so a charge that arrives after settlement cannot charge again.
"""

from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from models.document import Id
from models.errors import InsufficientCredits
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
    """Balances in micro-credits. Each method is one atomic update of one document."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def fetch(self, organization_id: Id) -> Organization:
        """The organization; raises NotFound."""
        return self._found(await self._one({"_id": organization_id}))

    async def remove(self, organization_id: Id) -> None:
        """Undo an insert whose first user could not be stored."""
        await self._rows.delete_one({"_id": organization_id})

    async def credit(self, organization_id: Id, amount_micros: int, now: datetime) -> int:
        """Add credit; the new balance. The one write here that must not be repeated."""
        update = {"$inc": {"balanceMicros": amount_micros}, "$set": {"updatedAt": now}}
        row = await self._rows.find_one_and_update({"_id": organization_id}, update, return_document=True)
        return Organization.from_mongo(self._found(row)).balance_micros

    async def open_charge(self, organization_id: Id, call_id: Id, now: datetime) -> None:
        """Let a call be charged from now on; raises InsufficientCredits when nothing is left to pay it with."""
        solvent = {"_id": organization_id, "balanceMicros": {"$gt": 0}}
        if await self._changed(solvent, {"$set": {_entry(call_id): 0, "updatedAt": now}}) is None:
            raise InsufficientCredits("Insufficient credits")

    async def charge(self, organization_id: Id, call_id: Id, total_micros: int, now: datetime) -> int:
        """Bring what the call has been charged up to `total_micros`; the balance left.

        A smaller total than already charged, and a call without an entry, change nothing.
        """
        return await self._move(organization_id, call_id, total_micros, now, keep=True)

    async def settle(self, organization_id: Id, call_id: Id, total_micros: int, now: datetime) -> int:
        """Charge the final total and close the entry; repeating it changes nothing. The balance left."""
        return await self._move(organization_id, call_id, total_micros, now, keep=False)

    async def with_open_charges(self) -> list[Organization]:
        """Organizations that have calls not settled yet: live ones, and any whose settlement was cut short."""
        return await self._many({"charged": {"$ne": {}}}, sort=(("updatedAt", ASCENDING),), limit=1000)

    async def _move(self, organization_id: Id, call_id: Id, total_micros: int, now: datetime, *, keep: bool) -> int:
        """Every expression reads the document as it was before the update: balance and entry move together."""
        entry = _entry(call_id)
        charged = {"$max": [f"${entry}", total_micros]}
        update: list[dict[str, Any]] = [
            {
                "$set": {
                    "balanceMicros": {"$subtract": ["$balanceMicros", {"$subtract": [charged, f"${entry}"]}]},
                    entry: charged if keep else "$$REMOVE",
                    "updatedAt": now,
                }
            }
        ]
        changed = await self._changed({"_id": organization_id, entry: {"$exists": True}}, update)
        return (changed or await self.fetch(organization_id)).balance_micros


def _entry(call_id: Id) -> str:
    """The path of a call's running total; a call id is 24 hex digits, so it needs no escaping."""
    return f"charged.{call_id}"
