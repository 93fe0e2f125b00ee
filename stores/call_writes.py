"""The log of a call: what its actor writes while it is live, and what closes it.

Everything here may arrive late, twice or out of order, so every write carries its own condition and a repetition
changes nothing. An actor names itself (`by`): one that has lost its call to another cannot write to it any more. This
condition is all that keeps two actors apart, should both believe that the call is theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from models.call import Call, CallStatus, CostBreakdown, Disposition, Progress, Recording, Turn, Usage
from models.conversation import AnsweredBy
from models.document import Id
from models.errors import Conflict
from stores.call_lists import LIVE
from stores.mongo import repeatable
from stores.repository import Repository, Where


@dataclass(frozen=True, slots=True)
class Still:
    """What a call must still be: the condition of a write that somebody else may have overtaken, and of a search.

    `silent_since`: nothing was written since then; a live call writes its usage every few seconds. `actor`: it is this
    one's.
    """

    statuses: tuple[CallStatus, ...] = LIVE
    uncarried: bool = False
    carried: bool = False
    made_before: datetime | None = None
    silent_since: datetime | None = None
    actor: str | None = None

    def where(self) -> dict[str, Any]:
        """As a filter."""
        times = (("createdAt", self.made_before), ("updatedAt", self.silent_since))
        return {
            "status": {"$in": self.statuses},
            **({"lease": None} if self.uncarried else {}),
            **({"lease": {"$ne": None}} if self.carried else {}),
            **({"lease.actor": self.actor} if self.actor else {}),
            **{field: {"$lt": at} for field, at in times if at is not None},
        }


ANY_LIVE = Still()

_NEWS: Where = {"$ifNull": ["$news", 0]}
"""In a pipeline: how many facts there are."""


class CallWrites(Repository[Call]):
    """The part of `stores.calls.Calls` that writes logs."""

    async def append_turn(
        self, call_id: Id, turn: Turn, usage: Usage, cost: CostBreakdown, now: datetime, by: str | None = None
    ) -> bool:
        """Add a turn with the consumption so far; False when its index is in the log already.

        The agent's turn takes the place of its progress. A turn that comes after the end is kept too, but the figures
        of a closed log stay as they were settled. Raises Conflict when the call is not `by`'s any more.
        """
        fresh = {"_id": call_id, "turns.index": {"$ne": turn.index}}
        live = {**Still(actor=by).where(), **fresh}
        closed = {**fresh, "status": {"$nin": LIVE}, **({"carriedBy": {"$in": [None, by]}} if by else {})}
        consumed = _consumed(usage, cost, now)
        if turn.role == "assistant":
            consumed["$set"] = {**consumed["$set"], "progress": None}
        late = {**_pushed(turn), "$set": {"untold": True}, "$inc": {"news": 1}}  # it may be the transcript's first
        for where, update in ((live, {**_pushed(turn), **consumed}), (closed, late)):
            if await self._write(where, update):
                return True
        await self._check_writer(call_id, by)
        return False

    async def save_progress(self, call_id: Id, progress: Progress, now: datetime, by: str | None = None) -> bool:
        """Note how far the agent's turn has come; False when the call is over, or not `by`'s any more."""
        fields = {"progress": progress.model_dump(by_alias=True), "updatedAt": now}
        return await self._write({**Still(actor=by).where(), "_id": call_id}, {"$set": fields})

    async def under_way(self, call_id: Id, still: Still) -> Call | None:
        """The call if it is still so and its agent's turn is under way."""
        return await self._one({**still.where(), "_id": call_id, "progress": {"$ne": None}})

    async def cut_short(self, call: Call, turn: Turn | None, still: Still) -> bool:
        """Put `turn` in the place of the progress that `call` has; False when it is not still so, or has moved on.

        Not counted as news of the call: `updatedAt` stays, on which `still` may depend.
        """
        if call.progress is None:
            return False
        where = {**still.where(), "_id": call.id, "progress.clauseAt": call.progress.clause_at}
        pushed = {} if turn is None else _pushed(turn)
        unseen = {} if turn is None else {"turns.index": {"$ne": turn.index}}
        return await self._write({**where, **unseen}, {**pushed, "$set": {"progress": None}})

    async def save_usage(
        self, call_id: Id, usage: Usage, cost: CostBreakdown, now: datetime, by: str | None = None
    ) -> None:
        """Note the consumption so far; what is smaller than noted before is late and changes nothing.

        Raises Conflict when the call is not `by`'s any more.
        """
        if not await self._write({**Still(actor=by).where(), "_id": call_id}, _consumed(usage, cost, now)):
            await self._check_writer(call_id, by)

    async def save_answered_by(self, call_id: Id, answered_by: AnsweredBy, now: datetime) -> bool:
        """Note who picked up, also after the end; False: it is known better than `uncertain` already."""
        where: dict[str, Any] = {"_id": call_id}
        if answered_by == "uncertain":
            where["answeredBy"] = {"$in": [None, "uncertain"]}
        return await self._write(where, {"$set": {"answeredBy": answered_by, "updatedAt": now}})

    async def save_transfer(self, call_id: Id, number: str, now: datetime) -> bool:
        """Note whom a live call goes to next; False when the call is over or unknown."""
        where = {"_id": call_id, "status": {"$in": LIVE}}
        return await self._write(where, {"$set": {"transferTo": number, "updatedAt": now}})

    async def save_disposition(
        self, call_id: Id, disposition: Disposition | None, *, actor: str | None = None
    ) -> Call | None:
        """Note what a call came to, also after its end; None takes the word away. The call with it, or None: unknown.

        An agent's word never replaces a user's, and `actor` has to be the one that carries, or in the end carried, the
        call: else nothing is noted. It does not count as a sign of life: `updatedAt` stays.
        """
        where: dict[str, Any] = {"_id": call_id}
        if disposition is not None and disposition.by is None:
            where["disposition.by"] = None
        if actor is not None:
            where["$or"] = [{"lease.actor": actor}, {"carriedBy": actor}]
        word = None if disposition is None else disposition.model_dump(by_alias=True)
        return await self._changed(where, {"$set": {"disposition": word, "untold": True}, "$inc": {"news": 1}})

    async def keep_recording(self, call_id: Id, recording: Recording, now: datetime) -> None:
        """Add where the audio is, before or after the end; what is known already stays."""
        unknown = {f"recording.{place}": None for place in recording.model_dump(by_alias=True, exclude_none=True)}
        fields = {**_recorded(recording), "updatedAt": now, "untold": True, "news": {"$add": [_NEWS, 1]}}
        await self._write({"_id": call_id, **unknown}, [{"$set": fields}])

    async def finish(
        self,
        call_id: Id,
        *,
        status: CallStatus,
        reason: str,
        now: datetime,
        consumed: tuple[Usage, CostBreakdown] | None = None,
        recording: Recording | None = None,
        duration_s: int | None = None,
        still: Still = ANY_LIVE,
    ) -> Call | None:
        """Close the log; the first finisher wins and the others get None, but the same word twice is one.

        `consumed`: the final figures, else what was saved last stands. `duration_s`: the carrier's word, which counts
        when the answer was never seen here or the call was over before anybody heard of it.
        """
        repeated = {"status": status, "endReason": reason, "endedAt": now}
        seconds = {"$toInt": {"$round": [{"$divide": [{"$subtract": [now, "$startedAt"]}, 1000]}, 0]}}
        longest = {"$min": [seconds, duration_s]} if duration_s else seconds
        fields: dict[str, Any] = {
            "status": status,
            "endReason": {"$literal": reason},
            "endedAt": now,
            "durationSec": {"$cond": ["$startedAt", {"$max": [0, longest]}, duration_s or 0]},
            "progress": None,
            "lease": None,
            # Whose late turns are still welcome.
            "carriedBy": {"$ifNull": ["$lease.actor", "$carriedBy", None]},
            "updatedAt": now,
            "untold": True,
            "news": {"$add": [_NEWS, {"$cond": ["$endedAt", 0, 1]}]},
            **_recorded(recording),
        }
        charged: object = {"$add": [f"$cost.{part}" for part in CostBreakdown.model_fields]}
        if consumed is not None:
            usage, cost = consumed
            fields |= {"usage": usage.model_dump(by_alias=True), "cost": cost.model_dump(by_alias=True)}
            charged = cost.total
        fields["chargedMicros"] = charged
        return await self._changed({"_id": call_id, "$or": [still.where(), repeated]}, [{"$set": fields}])

    async def _check_writer(self, call_id: Id, by: str | None) -> None:
        """Raises Conflict when the call is, or was in the end, somebody else's."""
        if by is None:
            return
        live = {**ANY_LIVE.where(), "lease.actor": {"$ne": by}}
        closed = {"status": {"$nin": LIVE}, "carriedBy": {"$nin": [None, by]}}
        where = {"_id": call_id, "$or": [live, closed]}
        if await repeatable(lambda: self._rows.find_one(where, {"_id": True})) is not None:
            raise Conflict("Call is carried by another actor")

    async def _write(self, where: Where, update: Where | Sequence[Where]) -> bool:
        """One atomic update that may be repeated; whether it found its call as it must be."""
        return (await repeatable(lambda: self._rows.update_one(where, update))).matched_count == 1


def _pushed(turn: Turn) -> dict[str, Any]:
    """The turn among the others, in the order of their indexes."""
    return {"$push": {"turns": {"$each": [turn.model_dump(by_alias=True)], "$sort": {"index": ASCENDING}}}}


def _consumed(usage: Usage, cost: CostBreakdown, now: datetime) -> dict[str, Where]:
    """Consumption only grows, so a late, smaller figure loses against `$max`."""
    parts = (("usage", usage), ("cost", cost))
    grown = {f"{part}.{field}": n for part, model in parts for field, n in model.model_dump(by_alias=True).items()}
    return {"$max": grown, "$set": {"updatedAt": now}}


def _recorded(recording: Recording | None) -> dict[str, Any]:
    """The recording merged into what is there, as a pipeline expression; addresses are literals."""
    known = {} if recording is None else recording.model_dump(by_alias=True, exclude_none=True)
    if not known:
        return {}
    return {"recording": {"$mergeObjects": ["$recording", {place: {"$literal": at} for place, at in known.items()}]}}
