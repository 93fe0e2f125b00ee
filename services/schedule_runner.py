"""Dials what is due. Any number of runners may look at the same schedules at the same time.

A schedule is claimed by one conditional write, shortly before its time; then dialled, then its time is recorded, and
the schedule goes on. The call has its id before the claim: whoever takes a claim over finds the call that was made, and
makes no second one. All but the dialling is done in lots, so that of hundreds that are due at once none waits long.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from models.call import Call
from models.document import Id
from models.errors import CallboardError, Invalid, NotFound, ProviderError, RateLimited, Unavailable
from models.schedule import Coming, Schedule
from models.user import User
from services.permissions import permissions_of
from services.principal import Principal
from services.schedule_plan import (
    ATTEMPT_S,
    NotYet,
    Result,
    claimed,
    is_late,
    is_stale,
    occurrence,
    put_off,
    settled,
    too_late,
)
from stores.repositories import Repositories

logger = logging.getLogger(__name__)

AGAIN_S = 5.0
"""What was refused for the moment is tried again after so long, where the refusal does not say."""


class Dialler(Protocol):
    """Places calls: `services.calls.CallService`."""

    async def place_outbound(
        self,
        principal: Principal,
        *,
        from_phone: str,
        to_phone: str,
        agent_id: str,
        metadata: dict[str, Any],
        now: datetime,
        call_id: Id | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Call:
        """Dial; with the id of a call that was made before, that call, and nothing is dialled."""

    async def get(self, principal: Principal, call_id: str) -> Call:
        """One call; raises NotFound."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A schedule in our hands; `is_taken_over`: from somebody who may have dialled. `user` is whom it acts for."""

    schedule: Schedule
    is_taken_over: bool
    user: User | None


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of a claimed schedule; to be recorded."""

    schedule: Schedule
    came_to: Result | NotYet
    at: datetime


class ScheduleRunner:
    """Finds, claims, dials and records; when, `serve_app.schedule_rounds` says.

    Every method raises what the store raises.
    """

    def __init__(self, repositories: Repositories, calls: Dialler) -> None:
        self._stores = repositories
        self._calls = calls

    async def due(self, before: datetime, *, limit: int) -> Sequence[Schedule]:
        """Schedules that wake before then, the longest waiting first."""
        return await self._stores.schedules.due(before, limit=limit)

    async def claim(self, seen: Sequence[Schedule], now: datetime) -> Sequence[Claim]:
        """Have schedules to ourselves: those that still are as they were seen, and not another's already."""
        pairs = [(each, claimed(each, now)) for each in seen]
        ours = await self._stores.schedules.replace_all(pairs, now)
        users = {user_id: await self._stores.users.by_id(user_id) for user_id in {each.user_id for each in ours}}
        taken_over = {each.id for each in seen if each.status == "firing"}
        return [Claim(each, each.id in taken_over, users[each.user_id]) for each in ours]

    async def dial(self, claim: Claim, now: datetime) -> Dealt | None:
        """Deal with a schedule whose time has come; None: it is another's, or nobody knows yet what became of it.

        What breaks off here, or is not recorded, is taken up again when the claim has run out.
        """
        schedule: Schedule | None = claim.schedule
        if is_stale(claim.schedule, now):
            schedule = await self._stores.schedules.replace(claim.schedule, claimed(claim.schedule, now), now)
        if schedule is None or schedule.coming is None:
            return None
        came_to = await self._outcome(claim, schedule, schedule.coming, now)
        return None if came_to is None else Dealt(schedule, came_to, now)

    async def record(self, dealt: Sequence[Dealt], now: datetime) -> None:
        """Write what became of them, and have the schedules go on."""
        await self._stores.occurrences.insert_all(
            [occurrence(each.schedule, each.came_to, each.at) for each in dealt if isinstance(each.came_to, Result)]
        )
        await self._stores.schedules.replace_all([(each.schedule, _after(each)) for each in dealt], now)
        for each in dealt:
            _tell(each)

    async def _outcome(self, claim: Claim, schedule: Schedule, coming: Coming, now: datetime) -> Result | NotYet | None:
        """What becomes of the coming time; None: nobody knows yet."""
        who = Principal(schedule.user_id, schedule.organization_id)
        if claim.is_taken_over and (known := await self._known(who, coming.call_id)) is not None:
            return known
        if is_late(schedule, now):
            return too_late(schedule)
        if (refusal := _refused(claim.user, schedule)) is not None:
            return Result("failed", refusal, ends=True)
        return await self._dialled(who, schedule, coming, now)

    async def _known(self, who: Principal, call_id: Id) -> Result | None:
        """What whoever had the claim before has left: a record of the time, or its call."""
        recorded = await self._stores.occurrences.known(who.organization_id, call_id)
        if recorded is not None:
            return Result(recorded.outcome, recorded.reason, recorded.call_id)
        call = await self._made(who, call_id)
        if call is not None and call.status.is_final and call.carrier_call_id is None:
            return Result("failed", "The carrier did not take the call", call_id)
        return None if call is None else Result("done", call_id=call_id)

    async def _dialled(
        self, who: Principal, schedule: Schedule, coming: Coming, now: datetime
    ) -> Result | NotYet | None:
        try:
            async with asyncio.timeout(ATTEMPT_S):
                await self._calls.place_outbound(
                    who,
                    from_phone=schedule.from_phone,
                    to_phone=schedule.to_phone,
                    agent_id=schedule.agent_id,
                    metadata=schedule.metadata,
                    now=now,
                    call_id=coming.call_id,
                    variables=schedule.variables,
                )
        except TimeoutError:
            # The carrier may have been told; whether the call was made is in the log by the time the claim runs out.
            logger.warning("a scheduled call took too long to place", extra={"schedule": schedule.id})
            return None
        except ProviderError as error:
            return Result("failed", error.message, coming.call_id)
        except (Unavailable, RateLimited) as error:
            if await self._made(who, coming.call_id) is not None:
                return Result("done", call_id=coming.call_id)
            return NotYet(error.message, getattr(error, "retry_after_s", AGAIN_S))
        except CallboardError as error:
            return Result("failed", _told(error), ends=isinstance(error, Invalid | NotFound))
        return Result("done", call_id=coming.call_id)

    async def _made(self, who: Principal, call_id: Id) -> Call | None:
        try:
            return await self._calls.get(who, call_id)
        except NotFound:
            return None


def _refused(user: User | None, schedule: Schedule) -> str | None:
    """Why nothing may be dialled for this user; None: it may."""
    if user is None or user.organization_id != schedule.organization_id:
        return "The user who made it is not there any more"
    if not user.is_active:
        return "The user who made it is deactivated"
    if "calls:write" not in permissions_of(user.organization_role):
        return "The user who made it may not place calls any more"
    return None


def _told(error: CallboardError) -> str:
    """A refusal in words, that of the field it names where it does."""
    fields = error.fields if isinstance(error, Invalid) else ()
    return "; ".join(field.message for field in fields) or error.message


def _after(dealt: Dealt) -> Schedule:
    if isinstance(dealt.came_to, NotYet):
        return put_off(dealt.schedule, dealt.came_to, dealt.at)
    return settled(dealt.schedule, dealt.came_to)


def _tell(dealt: Dealt) -> None:
    upon = dealt.schedule.coming
    if upon is None or isinstance(dealt.came_to, NotYet):
        return
    late_ms = round((dealt.at - upon.due_at).total_seconds() * 1000)
    about = {"schedule": dealt.schedule.id, "outcome": dealt.came_to.outcome, "late_ms": late_ms}
    logger.info("a scheduled call is dealt with", extra={**about, "skipped": upon.skipped})
