"""Calls: finding them, and who carries each; their logs are written in `call_writes`.

Everything here may arrive late, twice or out of order (carriers, retries, two actors), so every write carries its own
condition and a repetition changes nothing. Tenants read through `Repository`; the other methods serve the call's own
machinery, which knows it by its unguessable session or by its id.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pymongo
from pymongo import ASCENDING, IndexModel

from models.call import Call, CallStatus, Direction, Lease, SessionId
from models.conversation import AnsweredBy
from models.document import Id, Model, Time
from stores import call_lists
from stores.call_lists import LIVE as LIVE
from stores.call_writes import ANY_LIVE as ANY_LIVE, CallWrites, Still as Still
from stores.figures import OVERVIEW, TOTAL, Figures, Overview
from stores.mongo import Database, Index, hinted, repeatable
from stores.repository import NEWEST_FIRST, Page, Shape, Where, given, made
from stores.totals import Totals

SHAPE = Shape(
    collection="calls",
    document=Call,
    noun="Call",
    taken="Call already exists",
    indexes=(
        IndexModel([("sessionId", ASCENDING)], unique=True),
        # Partial: any number of calls may wait for the carrier's id.
        IndexModel(
            [("carrierCallId", ASCENDING)],
            unique=True,
            partialFilterExpression={"carrierCallId": {"$type": "string"}},
        ),
        *call_lists.INDEXES,
        # As small as what is to be told at the moment.
        IndexModel([("createdAt", ASCENDING)], partialFilterExpression={"untold": True}),
    ),
    retired_indexes=call_lists.RETIRED,
    unlisted=("turns",),
    own=("sessionId",),
)

WITHOUT_TURNS = {"turns": False}
OLDEST_FIRST = (("createdAt", ASCENDING),)
MOMENTS = {CallStatus.RINGING: "rangAt", CallStatus.IN_PROGRESS: "startedAt"}

OVERVIEW_S = 30
"""Deadline of an organization's figures: every call of the time asked for is read, out of an index."""


class CallState(Model):
    """How far a call is."""

    status: CallStatus
    answered_by: AnsweredBy | None = None
    carrier_call_id: str | None = None
    ended_at: Time | None = None


class Calls(CallWrites):
    """One document per call, turns included."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)
        self._totals = Totals(self._rows, live={"status": {"$in": LIVE}}, pieces=call_lists.pieces)

    # --- for a tenant ---------------------------------------------------------------------------------
    async def by_session(self, organization_id: Id, session_id: str) -> Call:
        """The organization's call of this session; raises NotFound."""
        return self._found(await self._one(self._of(organization_id, {"sessionId": session_id})))

    async def search(
        self,
        organization_id: Id,
        *,
        status: CallStatus | None = None,
        direction: Direction | None = None,
        agent_id: str | None = None,
        campaign_id: str | None = None,
        disposition: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        page: int,
        limit: int,
    ) -> Page[Call]:
        """Calls made in [since, before) that match, newest first, without their turns."""
        where = given(status=status, direction=direction, agentId=agent_id, createdAt=made(since, before))
        inside = {call_lists.CAMPAIGN: campaign_id, call_lists.DISPOSITION: disposition}
        fitted, index = call_lists.fitted({**where, **given(**inside)})
        return await self.page(organization_id, fitted, page=page, limit=limit, index=index)

    async def is_agent_busy(self, organization_id: Id, agent_id: str) -> bool:
        """Whether the agent has a call that is not over."""
        return await self._one(self._of(organization_id, {"agentId": agent_id, "status": {"$in": LIVE}})) is not None

    async def figures(self, organization_id: Id, agent_id: Id) -> Figures:
        """What the agent's calls come to, computed by the database."""
        scope = self._of(organization_id, {"agentId": agent_id})
        return Figures.of(await self._sums(scope, TOTAL, call_lists.BY_AGENT))

    async def overview(self, organization_id: Id, *, since: datetime | None, before: datetime | None) -> Overview:
        """What all calls made in [since, before) come to, computed by the database."""
        scope = self._of(organization_id, given(createdAt=made(since, before)))
        return Overview.of((await self._sums(scope, OVERVIEW, call_lists.BY_DATE))[0])

    async def agent_name(self, organization_id: Id, agent_id: Id) -> str:
        """The name an agent had in its last call; raises NotFound when it had none."""
        fitted, index = call_lists.fitted({"agentId": agent_id})
        scope = self._of(organization_id, fitted)
        last = await self._many(scope, WITHOUT_TURNS, sort=NEWEST_FIRST, limit=1, index=index)
        return self._found(next(iter(last), None)).agent_name

    # --- finding, for the call's own machinery ----------------------------------------------------------
    async def by_id(self, call_id: str) -> Call:
        """The call a verified webhook token names; raises NotFound."""
        return self._found(await self._one({"_id": call_id}))

    async def by_ids(self, call_ids: Iterable[Id]) -> dict[Id, Call]:
        """Those of the calls that exist, without their turns; for the sweeper."""
        where = {"_id": {"$in": list(call_ids)}}
        return {call.id: call for call in await self._many(where, WITHOUT_TURNS, sort=OLDEST_FIRST, limit=0)}

    async def states(self, call_ids: Iterable[Id]) -> dict[Id, CallState]:
        """How far those of the calls are that exist; for whoever waits for their ends."""
        wanted = {"_id": True, "status": True, "answeredBy": True, "carrierCallId": True, "endedAt": True}
        where = {"_id": {"$in": list(call_ids)}}
        rows = await repeatable(lambda: self._rows.find(where, wanted).to_list())
        return {row["_id"]: CallState.model_validate(row) for row in rows}

    async def session(self, session_id: SessionId) -> Call:
        """The call a verified media token names; raises NotFound."""
        return self._found(await self._one({"sessionId": session_id}))

    async def by_carrier(self, carrier_call_id: str) -> Call:
        """The call the carrier calls so; raises NotFound."""
        return self._found(await self._one({"carrierCallId": carrier_call_id}))

    async def stale(self, still: Still) -> list[Call]:
        """Up to 500 calls that are still so, oldest first; for the sweeper."""
        return await self._many(still.where(), WITHOUT_TURNS, sort=OLDEST_FIRST, limit=500)

    async def begin_inquiry(self, call_id: Id, now: datetime, *, unless_since: datetime) -> bool:
        """Note that the carrier is asked about a call; False when it was already since then, or the call has moved on.

        Does not count as news of the call: `updatedAt` stays.
        """
        where = {**Still(uncarried=True).where(), "_id": call_id, "reconciledAt": {"$not": {"$gt": unless_since}}}
        return await self._write(where, {"$set": {"reconciledAt": now}})

    # --- moving --------------------------------------------------------------------------------------
    async def bind_carrier(self, call_id: Id, carrier_call_id: str, now: datetime) -> Call:
        """Note the carrier's id once; raises Conflict when the call, or the id, is bound already elsewhere."""
        where = {"_id": call_id, "carrierCallId": {"$in": [None, carrier_call_id]}}
        changed = await self._changed(where, {"$set": {"carrierCallId": carrier_call_id, "updatedAt": now}})
        return self._found(changed)

    async def claim(self, session_id: SessionId, lease: Lease, now: datetime) -> Call | None:
        """Attach an actor; None when the call is over, unknown or another's already. One of many claimants wins."""
        where = {"sessionId": session_id, "status": {"$in": LIVE}, "lease.actor": {"$in": [None, lease.actor]}}
        return await self._changed(where, {"$set": {"lease": lease.model_dump(by_alias=True), "updatedAt": now}})

    async def take_over(self, session_id: SessionId, from_actor: str, lease: Lease, now: datetime) -> Call | None:
        """Give a live call of an actor that is gone to another; None when it is over, or not that actor's any more.

        The whole call comes back, as the next actor goes on from it.
        """
        # Its own name counts as well: the first of two attempts may have arrived.
        ours = {"lease.actor": {"$in": [from_actor, lease.actor]}}
        where = {"sessionId": session_id, "status": {"$in": LIVE}, **ours}
        return await self._changed(where, {"$set": {"lease": lease.model_dump(by_alias=True), "updatedAt": now}})

    async def advance(self, call_id: Id, status: CallStatus, now: datetime) -> Call | None:
        """Move a live call to a later live status; None when it is there already or past it (late word)."""
        earlier = [known for known in LIVE if known.rank < status.rank]
        fields: dict[str, Any] = {"status": status, "updatedAt": now, "untold": True}
        if status in MOMENTS:
            fields[MOMENTS[status]] = now
        where = {"_id": call_id, "status": {"$in": earlier}}
        return await self._changed(where, {"$set": fields, "$inc": {"news": 1}})

    # --- telling of it --------------------------------------------------------------------------------
    async def untold(self, limit: int) -> list[Call]:
        """Calls with facts that webhooks may not have been told, the oldest first; of their turns one at most."""
        return await self._many({"untold": True}, {"turns": {"$slice": 1}}, sort=OLDEST_FIRST, limit=limit)

    async def all_told(self, call: Call) -> None:
        """Note that all facts in `call` are told; when there is one more by now, nothing is noted."""
        await self._write({"_id": call.id, "news": call.news}, {"$set": {"untold": False}})

    async def _total(self, scope: Where, index: Index | None) -> int:
        count = self._totals.afresh if call_lists.DISPOSITION in scope else self._totals.of
        return await count(scope, index)

    async def _sums(self, scope: Where, stages: Sequence[Where], index: Index) -> list[dict[str, Any]]:
        async def read(hint: Index | None) -> list[dict[str, Any]]:
            options: dict[str, Any] = {"hint": dict(hint)} if hint else {}
            return await (await self._rows.aggregate([{"$match": scope}, *stages], **options)).to_list()

        with pymongo.timeout(OVERVIEW_S):
            return await hinted(index, read)
