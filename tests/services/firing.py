"""What tests of fired schedules share."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.document import Id
from models.schedule import Occurrence, Schedule
from services.schedule_runner import ScheduleRunner
from tests.documents import a_user
from tests.schedules import DUE, Dialler, a_schedule
from tests.services.conftest import House

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def scheduled(house: House, **fields: Any) -> Schedule:
    """A schedule that is due at `DUE`, of a user of the tenant's."""
    owner = house.principal.organization_id
    if "user_id" not in fields:
        fields["user_id"] = (await house.stores.users.insert(a_user(owner))).id
    return await house.stores.schedules.insert(a_schedule(owner, **fields))


async def again(house: House, schedule: Schedule) -> Schedule:
    """The schedule as it is now."""
    return await house.stores.schedules.get(schedule.organization_id, schedule.id)


async def history(house: House, schedule: Schedule) -> Sequence[Occurrence]:
    """Its times that are over, the first one first."""
    owner = schedule.organization_id
    found = await house.stores.occurrences.of_schedule(owner, schedule.id, page=1, limit=100)
    return sorted(found.items, key=lambda each: each.due_at)


async def round_of(house: House, runner: ScheduleRunner, now: datetime, limit: int = 1000) -> int:
    """Fire all of the tenant's that has woken; how many there were."""
    due = await runner.due(now + timedelta(milliseconds=1), limit=limit)
    ours = [each for each in due if each.organization_id == house.principal.organization_id]
    await deal_with(runner, *ours, now=now)
    return len(ours)


async def deal_with(runner: ScheduleRunner, *seen: Schedule, now: datetime = DUE) -> None:
    """Claim and fire."""
    dealt = await asyncio.gather(*(runner.dial(claim, now) for claim in await runner.claim(seen, now)))
    await runner.record([each for each in dealt if each is not None], now)


def refusing(error: Exception) -> Dialler:
    """Refuses before anything is made."""

    def refuse(call_id: Id) -> None:
        raise error

    return Dialler(before=refuse)


class Died(BaseException):
    """The process, in the middle of something."""


def dying() -> Any:
    """What a process does when it is killed."""
    raise Died
