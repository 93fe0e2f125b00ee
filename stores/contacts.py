"""Contacts of campaigns: written by imports, claimed and settled by campaigns.

The methods of a campaign know no tenant. Each write carries its own condition, so that of many runners, and of a runner
and its own past before a crash, exactly one has its way; no promise here needs more than one document at a time.

    pending --claim_due--> dialing --begin_attempt, record_outcome--> pending again, or done
                                   --retry_at, finish, release_stale: without an attempt that is still open
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pymongo import ASCENDING, IndexModel, timeout
from pymongo.errors import BulkWriteError

from models.contact import WITHDRAWN, Attempt, Claim, Contact, ContactState
from models.document import Id, as_utc, new_id
from stores.contact_figures import (
    STILL_OPEN as STILL_OPEN,
    WHOLE_CAMPAIGN_S,
    ContactCounts as ContactCounts,
    ContactFigures,
)
from stores.mongo import Database, repeatable
from stores.repository import Page, Shape, Where

DUE = (("campaignId", ASCENDING), ("state", ASCENDING), ("nextAt", ASCENDING), ("line", ASCENDING))
SHAPE = Shape(
    collection="contacts",
    document=Contact,
    noun="Contact",
    taken="Contact already exists",
    indexes=(
        IndexModel([("campaignId", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel(DUE),
        IndexModel(
            [("organizationId", ASCENDING), ("campaignId", ASCENDING), ("state", ASCENDING), ("_id", ASCENDING)]
        ),
    ),
    order=(("_id", ASCENDING),),  # as they were imported
)

STATES: tuple[ContactState, ...] = ("pending", "dialing", "done")
OPEN: Where = {"attempts": {"$elemMatch": {"outcome": None}}}
SETTLED: Where = {"attempts": {"$not": {"$elemMatch": {"outcome": None}}}}
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A contact that was not stored, because the campaign has its number: since `first_line` of the same import, or
    from before where that is None."""

    line: int
    first_line: int | None


@dataclass(frozen=True, slots=True)
class Again:
    """After an attempt: not before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """After an attempt: never again; `final` says how it ended."""

    final: str


class Contacts(ContactFigures):
    """Every method may be repeated."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def insert_batch(self, contacts: Sequence[Contact]) -> list[Duplicate]:
        """Store those whose number their campaign has not; the others in the order given. All are of one import."""
        rows = await asyncio.to_thread(lambda: [contact.to_mongo() for contact in contacts])
        refused: set[str] = set()

        async def insert() -> None:
            try:
                await self._rows.insert_many(rows, ordered=False)
            except BulkWriteError as error:
                errors: list[dict[str, Any]] = error.details["writeErrors"]
                if any(each["code"] != _DUPLICATE_KEY for each in errors) or error.details["writeConcernErrors"]:
                    raise
                refused.update(contacts[each["index"]].id for each in errors)

        if rows:
            await repeatable(insert)
        return await self._duplicates([contact for contact in contacts if contact.id in refused])

    async def listed(
        self, organization_id: Id, campaign_id: str, state: ContactState | None, *, page: int, limit: int
    ) -> Page[Contact]:
        """A campaign's contacts as they were imported."""
        states = STATES if state is None else (state,)
        where = {"campaignId": campaign_id, "state": {"$in": states}}
        return await self.page(organization_id, where, page=page, limit=limit)

    # --- for the campaign ------------------------------------------------------------------------------------
    async def claim_due(self, campaign_id: Id, runner: str, limit: int, now: datetime) -> list[Contact]:
        """Up to `limit` contacts that are due, those that are due longest first; nobody else gets them.

        `runner` names who claims. It begins an attempt with each, or gives it back with `retry_at` or `finish`.
        """
        claimed: list[Contact] = []
        while len(claimed) < limit:
            due = await self._due(campaign_id, limit - len(claimed), now)
            if not due:
                break
            claimed += await self._claim(due, Claim(runner=runner, token=new_id(), at=now), now)
        return claimed

    async def next_due(self, campaign_id: Id) -> datetime | None:
        """When the next pending contact is due; None: none is pending."""
        scope = {"campaignId": campaign_id, "state": "pending"}
        first = [("nextAt", ASCENDING)]
        row = await repeatable(lambda: self._rows.find_one(scope, {"_id": False, "nextAt": True}, sort=first))
        return None if row is None else as_utc(row["nextAt"])

    async def begin_attempt(self, contact_id: Id, number: int, call_id: Id, now: datetime, *, runner: str) -> bool:
        """Put attempt `number` on record before it is dialled as the call `call_id`; False: it must not be dialled.

        It must not when the contact is not the runner's any more, another attempt is open, or this one was begun under
        another call's id. Beginning the same one again is True, and dials nothing twice that has the call's id.
        """
        attempt = Attempt(number=number, call_id=call_id, at=now)
        next_one = {"attempts": {"$size": number - 1, **SETTLED["attempts"]}}
        free = {"_id": contact_id, "state": "dialing", "claim.runner": runner, **next_one}
        update = {"$push": {"attempts": attempt.model_dump(by_alias=True)}, "$set": {"updatedAt": now}}
        if await self._write(free, update):
            return True
        same = {"_id": contact_id, "attempts": {"$elemMatch": {"number": number, "callId": call_id, "outcome": None}}}
        return await self._exists(same)

    async def record_outcome(
        self, contact_id: Id, number: int, outcome: str, then: Again | Finished, now: datetime
    ) -> bool:
        """Close attempt `number` and say what comes next, in one write; False when it was closed before.

        In one, so that a crash never leaves a contact whose call is over and who waits for nobody, or for another call.
        """
        open_one = {"_id": contact_id, "attempts": {"$elemMatch": {"number": number, "outcome": None}}}
        return await self._write(open_one, {"$set": {"attempts.$.outcome": outcome, **_after(then, now)}})

    async def retry_at(
        self, contact_id: Id, at: datetime, now: datetime, *, refusal: str | None = None, runner: str | None = None
    ) -> bool:
        """Give a claimed contact back that was not dialled, due at `at`; False: nobody has it, or an attempt is open.

        `refusal`: why it was not dialled. `runner`: only what this one has claimed.
        """
        claimed = {"_id": contact_id, "state": "dialing", **SETTLED, **_claimed_by(runner)}
        noted = {"refusal": refusal} if refusal is not None else {}
        return await self._write(claimed, {"$set": {**_after(Again(at), now), **noted}})

    async def finish(
        self, contact_id: Id, final: str, now: datetime, *, refusal: str | None = None, runner: str | None = None
    ) -> bool:
        """End a contact without another attempt, such as for being on a list; False: it has ended, or one is open.

        `refusal`: why nobody dials it. `runner`: only what this one has claimed.
        """
        unfinished = {"_id": contact_id, "state": {"$in": ["pending", "dialing"]}, **SETTLED, **_claimed_by(runner)}
        noted = {"refusal": refusal} if refusal is not None else {}
        return await self._write(unfinished, {"$set": {**_after(Finished(final), now), **noted}})

    async def withdraw(self, contact_id: Id, now: datetime, by: Id) -> bool:
        """Take out a contact who waits; False: somebody has claimed it, or it has ended. `by`: the user."""
        waiting = {"_id": contact_id, "state": "pending"}
        return await self._write(waiting, {"$set": {**_after(Finished(WITHDRAWN), now), "modifiedBy": by}})

    async def close_zone(self, campaign_id: Id, time_zone: str, until: datetime, refusal: str, now: datetime) -> int:
        """Let everybody there who waits and is due before `until` wait until then; how many do."""
        waiting = {"campaignId": campaign_id, "state": "pending", "nextAt": {"$lt": until}, "timeZone": time_zone}
        put_off = {"$set": {"nextAt": until, "refusal": refusal, "updatedAt": now}}
        with timeout(WHOLE_CAMPAIGN_S):
            return (await repeatable(lambda: self._rows.update_many(waiting, put_off))).modified_count

    async def finish_waiting(self, campaign_id: Id, final: str, now: datetime) -> int:
        """End everybody whom nobody has claimed; how many there were."""
        waiting = {"campaignId": campaign_id, "state": "pending"}
        ended = {"$set": _after(Finished(final), now)}
        with timeout(WHOLE_CAMPAIGN_S):
            return (await repeatable(lambda: self._rows.update_many(waiting, ended))).modified_count

    async def release_stale(
        self, campaign_id: Id, before: datetime, now: datetime, *, keep: Collection[Id] = (), runner: str | None = None
    ) -> int:
        """Give back what was claimed until `before` and has no open attempt, due when it was; how many were.

        `keep`: contacts that somebody is about to dial all the same. `runner`: only what this one has claimed.
        """
        stale = {"campaignId": campaign_id, "state": "dialing", "claim.at": {"$lte": before}, **SETTLED}
        stale |= _claimed_by(runner)
        if keep:
            stale["_id"] = {"$nin": list(keep)}
        freed = {"$set": {"state": "pending", "claim": None, "updatedAt": now}}
        return (await repeatable(lambda: self._rows.update_many(stale, freed))).modified_count

    async def under_way(self, campaign_id: Id, limit: int = 10_000) -> list[Contact]:
        """Contacts with an open attempt: what a runner that starts again asks the calls about."""
        scope = {"campaignId": campaign_id, "state": "dialing", **OPEN}
        return await self._many(scope, sort=self._shape.order, limit=limit)

    async def is_anybody_left(self, campaign_id: Id) -> bool:
        """Whether somebody waits or is being dialled."""
        return await self._exists({"campaignId": campaign_id, "state": {"$in": ["pending", "dialing"]}})

    async def are_strays(self, campaign_id: Id, before: datetime, *, known: Collection[Id]) -> bool:
        """Whether somebody was claimed until `before` whom nobody here knows of: what another runner left behind."""
        claimed = {"campaignId": campaign_id, "state": "dialing", "claim.at": {"$lte": before}}
        return await self._exists({**claimed, "_id": {"$nin": list(known)}})

    # --- inside ----------------------------------------------------------------------------------------------
    async def _exists(self, where: Where) -> bool:
        return await repeatable(lambda: self._rows.find_one(where, {"_id": True})) is not None

    async def _duplicates(self, refused: Sequence[Contact]) -> list[Duplicate]:
        """Of contacts whose key was taken, those whose own document did not take it in a first attempt."""
        if not refused:
            return []
        scope = {"campaignId": refused[0].campaign_id, "number": {"$in": [contact.number for contact in refused]}}
        wanted = {"number": True, "line": True, "importId": True}
        rows = await repeatable(lambda: self._rows.find(scope, wanted).to_list())
        there = {row["number"]: row for row in rows}
        return [
            Duplicate(contact.line, row["line"] if row["importId"] == contact.import_id else None)
            for contact in refused
            if (row := there[contact.number])["_id"] != contact.id
        ]

    async def _due(self, campaign_id: Id, limit: int, now: datetime) -> list[str]:
        scope = {"campaignId": campaign_id, "state": "pending", "nextAt": {"$lte": now}}
        order = DUE[2:]
        rows = await repeatable(lambda: self._rows.find(scope, {"_id": True}).sort(order).limit(limit).to_list())
        return [row["_id"] for row in rows]

    async def _claim(self, ids: Sequence[str], claim: Claim, now: datetime) -> list[Contact]:
        """Those of `ids` that this claim got; each is stamped once, whoever else tries at the same time."""
        scope = {"_id": {"$in": ids}, "state": "pending", "nextAt": {"$lte": now}}
        stamp = {"$set": {"state": "dialing", "claim": claim.model_dump(by_alias=True), "updatedAt": now}}
        await repeatable(lambda: self._rows.update_many(scope, stamp))
        return await self._many({"_id": {"$in": ids}, "claim.token": claim.token}, sort=DUE[2:], limit=len(ids))

    async def _write(self, where: Where, update: Where) -> bool:
        """Whether it matched; of a write that is repeated, whether the second attempt did."""
        return (await repeatable(lambda: self._rows.update_one(where, update))).matched_count == 1


def _claimed_by(runner: str | None) -> Where:
    return {} if runner is None else {"claim.runner": runner}


def _after(then: Again | Finished, now: datetime) -> dict[str, Any]:
    """The fields of a contact nobody has any more."""
    settled: tuple[Literal["pending", "done"], datetime | None, str | None]
    settled = ("pending", then.at, None) if isinstance(then, Again) else ("done", None, then.final)
    state, next_at, final = settled
    return {"state": state, "nextAt": next_at, "final": final, "claim": None, "updatedAt": now}
