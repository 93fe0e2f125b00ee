"""What becomes of a schedule: claimed, put off, settled, cancelled. Pure; each step gives the document to write.

scheduled ──claim──> firing ──settle──> scheduled (its rule gives another time), done, missed or failed
    ^  │               │  └──claim, after LEASE_S: whoever had it has died
    │  └──> cancelled  │
    └─────put off──────┘
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.document import Id, new_id
from models.errors import Invalid
from models.schedule import Coming, Occurrence, Outcome, Schedule
from services.recurrence import Moment, following, local_time, zone_of

ATTEMPT_S = 30.0
"""Longer than the slowest attempt to dial that succeeds."""
LEASE_S = 60.0
"""Who claimed a schedule and is silent for so long after its time is gone."""
BEGUN_S = 10.0
"""Who has not begun to dial so long after the time, as others went first, has to renew the claim: an attempt ends far
before the claim does."""


UNREADABLE = (Invalid, ValueError)
"""What a rule raises that an earlier version took, or a zone that the machine does not know any more."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one time of a schedule; `ends`: there is no use in trying its other times."""

    outcome: Outcome
    reason: str | None = None
    call_id: Id | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class NotYet:
    """It could not be dialled now, for this reason; nothing was made."""

    reason: str
    again_s: float


def coming(moment: Moment | None) -> Coming | None:
    """A time of a schedule, with a new call's id."""
    if moment is None:
        return None
    return Coming(due_at=moment.at, local_time=moment.local.isoformat(), number=moment.number, call_id=new_id())


def waiting(schedule: Schedule, next_time: Coming) -> Schedule:
    """The schedule until that time."""
    return _written(schedule, status="scheduled", coming=next_time, wake_at=next_time.due_at)


def claimed(schedule: Schedule, now: datetime) -> Schedule:
    """The schedule in the hands of whoever writes this first.

    Of several times that have come due meanwhile the latest counts; not so for one that somebody was dialling: whether
    its call was made has to be found out.
    """
    upon = _upon(schedule)
    if schedule.status == "scheduled":
        upon = _latest(schedule, upon, now)
    until = max(now, upon.due_at) + timedelta(seconds=LEASE_S)
    return _written(schedule, status="firing", coming=upon, wake_at=until)


def is_stale(claim: Schedule, now: datetime) -> bool:
    """Whether the claim is too old to begin dialling with."""
    return claim.wake_at is None or now > claim.wake_at - timedelta(seconds=LEASE_S - BEGUN_S)


def is_late(schedule: Schedule, now: datetime) -> bool:
    """Whether it is too late for its coming time."""
    return now > _latest_moment(schedule)


def put_off(schedule: Schedule, why: NotYet, now: datetime) -> Schedule:
    """The schedule until it is tried again, at the end of its time at the latest."""
    upon = _upon(schedule).model_copy(update={"waited_for": why.reason})
    again = min(now + timedelta(seconds=why.again_s), _latest_moment(schedule) + timedelta(milliseconds=1))
    return _written(schedule, status="scheduled", coming=upon, wake_at=again)


def settled(schedule: Schedule, result: Result) -> Schedule:
    """The schedule after this time: before its next one, or over."""
    done = schedule.model_copy(update={"reason": result.reason})
    try:
        after = None if result.ends else coming(next(_following(schedule), None))
    except UNREADABLE:
        return over(done.model_copy(update={"reason": "Its rule or time zone is not known any more"}), "failed")
    return over(done, result.outcome) if after is None else waiting(done, after)


def over(schedule: Schedule, status: Outcome) -> Schedule:
    """The schedule when nothing more comes."""
    return _written(schedule, status=status, coming=None, wake_at=None)


def cancelled(schedule: Schedule) -> Schedule:
    """The schedule that nobody wants any more."""
    return _written(schedule, status="cancelled", coming=None, wake_at=None)


def occurrence(schedule: Schedule, result: Result, now: datetime) -> Occurrence:
    """The record of the coming time, for the history."""
    upon = _upon(schedule)
    return Occurrence(
        id=upon.call_id,
        created_at=now,
        updated_at=now,
        organization_id=schedule.organization_id,
        schedule_id=schedule.id,
        due_at=upon.due_at,
        number=upon.number,
        outcome=result.outcome,
        reason=result.reason,
        call_id=result.call_id,
        skipped=upon.skipped,
    )


def too_late(schedule: Schedule) -> Result:
    """What is said of a time that has passed."""
    waited_for = _upon(schedule).waited_for
    minutes = "1 minute" if schedule.late_minutes == 1 else f"{schedule.late_minutes} minutes"
    reason = f"It could not be placed within {minutes} of its time"
    return Result("missed", reason if waited_for is None else f"{reason}: {waited_for}")


def _latest(schedule: Schedule, upon: Coming, now: datetime) -> Coming:
    """The last time that is due by now; how many were before it is kept with it."""
    latest, skipped = None, upon.skipped
    try:
        for moment in _following(schedule):
            if moment.at > now:
                break
            latest, skipped = moment, skipped + 1
    except UNREADABLE:
        return upon  # the time that is known still counts
    found = coming(latest)
    return upon if found is None else found.model_copy(update={"skipped": skipped})


def _following(schedule: Schedule) -> Iterator[Moment]:
    """The times after the coming one; raises `UNREADABLE`."""
    upon = _upon(schedule)
    if schedule.rrule is None:
        return iter(())
    moment = Moment(upon.due_at, local_time(upon.local_time), upon.number)
    return following(moment, zone_of(schedule.timezone), schedule.rrule)


def _latest_moment(schedule: Schedule) -> datetime:
    return _upon(schedule).due_at + timedelta(minutes=schedule.late_minutes)


def _upon(schedule: Schedule) -> Coming:
    assert schedule.coming is not None, "a schedule that is not over has a time"
    return schedule.coming


def _written(schedule: Schedule, **fields: Any) -> Schedule:
    return schedule.model_copy(update={**fields, "revision": new_id()})
