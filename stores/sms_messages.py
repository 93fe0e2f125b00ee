"""Text messages after calls: one document each, which whoever sends it claims.

A claim puts `nextAt` off for as long as sending takes at most. A claimant that dies before it asked the carrier leaves
the message to the next; one that dies while asking leaves it `sending`, and nobody asks again. What the carrier says
comes twice, late and out of order: it is written only where it moves the status on.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument

from models.document import Id
from models.sms import SmsMessage, SmsStatus
from stores.mongo import Database, repeatable
from stores.repository import NEWEST_FIRST, Page, Repository, Shape, given

BY_TURN = [("nextAt", ASCENDING), ("_id", ASCENDING)]
OLDEST_FIRST = (("createdAt", ASCENDING),)
OPEN = [SmsStatus.QUEUED, SmsStatus.SENDING]
SHAPE = Shape(
    collection="smsMessages",
    document=SmsMessage,
    noun="Text message",
    taken="Text message already exists",
    indexes=(
        IndexModel(BY_TURN),
        IndexModel([("organizationId", ASCENDING), *NEWEST_FIRST]),
        IndexModel([("organizationId", ASCENDING), ("status", ASCENDING), *NEWEST_FIRST]),
        IndexModel([("organizationId", ASCENDING), ("callId", ASCENDING), *NEWEST_FIRST]),
        # As small as what is to be told at the moment.
        IndexModel([("createdAt", ASCENDING)], partialFilterExpression={"untold": True}),
    ),
)


class SmsMessages(Repository[SmsMessage]):
    """The methods without an organization are for those who send, and for the carrier."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    # --- for a tenant ---------------------------------------------------------------------------------
    async def search(
        self,
        organization_id: Id,
        *,
        call_id: str | None = None,
        status: SmsStatus | None = None,
        page: int,
        limit: int,
    ) -> Page[SmsMessage]:
        """Messages that match, newest first."""
        return await self.page(organization_id, given(callId=call_id, status=status), page=page, limit=limit)

    # --- owing ----------------------------------------------------------------------------------------
    async def by_id(self, message_id: str) -> SmsMessage:
        """The message a verified webhook token names; raises NotFound."""
        return self._found(await self._one({"_id": message_id}))

    async def is_known(self, message_id: Id) -> bool:
        """Whether the message is stored, whatever became of it."""
        return await repeatable(lambda: self._rows.find_one({"_id": message_id}, {"_id": True})) is not None

    async def add(self, message: SmsMessage) -> None:
        """Store a message that is not there yet; one that is stays as it is."""
        row = message.to_mongo()
        fresh = {key: value for key, value in row.items() if key != "_id"}
        await repeatable(lambda: self._rows.update_one({"_id": message.id}, {"$setOnInsert": fresh}, upsert=True))

    # --- sending --------------------------------------------------------------------------------------
    async def claim(self, now: datetime, lease: timedelta, unless: Collection[Id] = ()) -> SmsMessage | None:
        """Take the queued message that is due the longest, of no organization in `unless`; None: there is none."""
        where: dict[str, Any] = {"status": SmsStatus.QUEUED, "nextAt": {"$lte": now}}
        if unless:
            where["organizationId"] = {"$nin": list(unless)}
        update = {"$set": {"nextAt": now + lease}, "$inc": {"claims": 1}}
        row = await repeatable(
            lambda: self._rows.find_one_and_update(where, update, sort=BY_TURN, return_document=ReturnDocument.AFTER)
        )
        return None if row is None else SmsMessage.from_mongo(row)

    async def begin(self, claimed: SmsMessage, now: datetime, lease: timedelta) -> SmsMessage | None:
        """Note that the carrier is asked from now on; None when the claim is not ours any more: it must not be asked.

        To be called once for a claim: the write finds its own work, should the connection break under it.
        """
        where = {"_id": claimed.id, "status": {"$in": OPEN}, "claims": claimed.claims}
        asked = {"status": SmsStatus.SENDING, "attempts": claimed.attempts + 1}
        return await self._changed(where, {"$set": {**asked, "nextAt": now + lease, "updatedAt": now}})

    async def put_off(self, asked: SmsMessage, error: str, until: datetime, now: datetime) -> bool:
        """Have a message that the carrier refused for the moment sent later; False: it has moved on meanwhile."""
        where = {"_id": asked.id, "status": SmsStatus.SENDING, "claims": asked.claims}
        fields = {"status": SmsStatus.QUEUED, "nextAt": until, "error": error, "updatedAt": now}
        return await self._changed(where, {"$set": fields}) is not None

    async def fail(self, claimed: SmsMessage, error: str, now: datetime) -> bool:
        """Give a claimed message up; False: it has moved on, or is somebody else's by now."""
        where = {"_id": claimed.id, "status": {"$in": OPEN}, "claims": claimed.claims}
        return await self._changed(where, {"$set": _failed(error, now)}) is not None

    async def fail_unanswered(self, error: str, now: datetime) -> int:
        """Give up those whose sender died while it asked the carrier; how many."""
        where = {"status": SmsStatus.SENDING, "nextAt": {"$lte": now}}
        return (await repeatable(lambda: self._rows.update_many(where, {"$set": _failed(error, now)}))).modified_count

    # --- what the carrier says ------------------------------------------------------------------------
    async def forward(
        self, message_id: Id, status: SmsStatus, carrier_id: str | None, now: datetime, error: str | None = None
    ) -> SmsMessage | None:
        """Move a message on, to a status that says that the carrier has taken it; None when it is there or further.

        The carrier's first name for it stays; under another one nothing is written.
        """
        earlier = [known for known in SmsStatus if known.rank < status.rank]
        where: dict[str, Any] = {"_id": message_id, "status": {"$in": earlier}}
        fields: dict[str, Any] = {
            "status": status,
            "error": {"$literal": error},
            "nextAt": None,
            "sentAt": {"$ifNull": ["$sentAt", now]},
            "untold": {"$cond": ["$sentAt", "$untold", True]},
            "finishedAt": None if status is SmsStatus.SENT else now,
            "updatedAt": now,
        }
        if carrier_id is not None:
            where["carrierId"] = {"$in": [None, carrier_id]}
            fields["carrierId"] = {"$literal": carrier_id}
        return await self._changed(where, [{"$set": fields}])

    # --- telling of it --------------------------------------------------------------------------------
    async def untold(self, limit: int) -> list[SmsMessage]:
        """Messages that were sent, which webhooks may not have been told; the oldest first."""
        return await self._many({"untold": True}, sort=OLDEST_FIRST, limit=limit)

    async def all_told(self, message: SmsMessage) -> None:
        """Note that it is told that the message was sent."""
        await repeatable(lambda: self._rows.update_one({"_id": message.id}, {"$set": {"untold": False}}))


def _failed(error: str, now: datetime) -> dict[str, Any]:
    return {"status": SmsStatus.FAILED, "error": error, "nextAt": None, "finishedAt": now, "updatedAt": now}
