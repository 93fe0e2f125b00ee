"""Firing what is due, over the real database: in time, late, refused, put off."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from models.document import new_id
from models.errors import (
    CallboardError,
    CreditUnavailable,
    FieldError,
    InsufficientCredits,
    Invalid,
    NoCapacity,
    NotFound,
    ProviderError,
)
from services.schedule_runner import ScheduleRunner
from tests.documents import a_user, an_agent
from tests.money import fund
from tests.schedules import DUE, Dialler
from tests.services.conftest import TO, House
from tests.services.firing import (
    MINUTE,
    SECOND,
    again,
    history,
    refusing,
    round_of,
    scheduled,
)

pytestmark = pytest.mark.integration


async def test_a_call_is_placed_and_told_of(house: House) -> None:
    schedule, dialler = await scheduled(house, metadata={"orderId": "ORD-1"}, variables={"name": "Asha"}), Dialler()
    runner = ScheduleRunner(house.stores, dialler)
    assert await round_of(house, runner, DUE - SECOND) == 0
    assert await round_of(house, runner, DUE) == 1
    (call,) = dialler.calls.values()
    assert (call.metadata, call.variables) == ({"orderId": "ORD-1"}, {"name": "Asha"})
    after = await again(house, schedule)
    assert (after.status, after.coming, after.wake_at) == ("done", None, None)
    (told,) = await history(house, schedule)
    assert (told.outcome, told.call_id, told.due_at, told.skipped) == ("done", call.id, DUE, 0)
    assert await round_of(house, runner, DUE + MINUTE) == 0


async def test_late_within_its_minutes_fires_and_later_is_missed(house: House) -> None:
    dialler = Dialler()
    runner = ScheduleRunner(house.stores, dialler)
    in_time, too_late = await scheduled(house, late_minutes=10), await scheduled(house, late_minutes=9)
    assert await round_of(house, runner, DUE + 10 * MINUTE) == 2
    assert (await again(house, in_time)).status == "done"
    missed = await again(house, too_late)
    assert (missed.status, missed.reason) == ("missed", "It could not be placed within 9 minutes of its time")
    (told,) = await history(house, too_late)
    assert (told.outcome, told.call_id, told.reason) == ("missed", None, missed.reason)
    assert dialler.dialled.total() == 1


async def test_after_a_long_absence_only_the_latest_time_fires(house: House) -> None:
    dialler = Dialler()
    runner = ScheduleRunner(house.stores, dialler)
    schedule = await scheduled(house, rrule="FREQ=HOURLY;COUNT=9")
    await round_of(house, runner, DUE + timedelta(hours=5, minutes=3))
    (told,) = await history(house, schedule)
    assert (told.outcome, told.due_at, told.skipped) == ("done", DUE + timedelta(hours=5), 5)
    # And after the next one only lateness remains: that time is missed, and the one after it comes.
    await round_of(house, runner, DUE + timedelta(hours=7, minutes=30))
    _, told = await history(house, schedule)
    assert (told.outcome, told.due_at, told.skipped) == ("missed", DUE + timedelta(hours=7), 1)
    await round_of(house, runner, DUE + timedelta(hours=8))
    assert (await again(house, schedule)).status == "done"
    assert await round_of(house, runner, DUE + timedelta(days=9)) == 0
    assert dialler.dialled.total() == 2


@pytest.mark.parametrize(
    ("refusal", "again_s"),
    [(NoCapacity("Every line is busy", retry_after_s=7), 7), (CreditUnavailable("The ledger restarts"), 5)],
)
async def test_what_cannot_be_now_is_tried_again_until_it_is_too_late(
    house: House, refusal: CallboardError, again_s: int
) -> None:
    schedule = await scheduled(house, late_minutes=1)
    runner = ScheduleRunner(house.stores, refusing(refusal))
    now, tries = DUE, 0
    while (await again(house, schedule)).status == "scheduled":
        assert await round_of(house, runner, now) == 1
        waiting, tries = await again(house, schedule), tries + 1
        now = waiting.wake_at or now
    assert tries == 60 // again_s + 2
    assert waiting.reason == f"It could not be placed within 1 minute of its time: {refusal.message}"
    assert [each.outcome for each in await history(house, schedule)] == ["missed"]


async def test_a_line_that_is_free_in_time_is_used(house: House) -> None:
    schedule = await scheduled(house)
    await round_of(house, ScheduleRunner(house.stores, refusing(NoCapacity("Every line is busy"))), DUE)
    waiting = await again(house, schedule)
    assert waiting.coming is not None
    assert (waiting.status, waiting.coming.waited_for) == ("scheduled", "Every line is busy")
    dialler = Dialler()
    await round_of(house, ScheduleRunner(house.stores, dialler), DUE + 5 * SECOND)
    assert (await again(house, schedule)).status == "done"
    assert list(dialler.dialled) == [waiting.coming.call_id]


@pytest.mark.parametrize(
    ("refusal", "reason", "goes_on"),
    [
        (InsufficientCredits("Insufficient credits"), "Insufficient credits", True),
        (NotFound("Agent not found"), "Agent not found", False),
        (Invalid(fields=[FieldError("agentId", "The agent is inactive")]), "The agent is inactive", False),
    ],
)
async def test_a_refusal_fails_the_time_and_what_stays_so_the_schedule(
    house: House, refusal: CallboardError, reason: str, goes_on: bool
) -> None:
    schedule = await scheduled(house, rrule="FREQ=DAILY")
    await round_of(house, ScheduleRunner(house.stores, refusing(refusal)), DUE)
    after = await again(house, schedule)
    assert (after.status, after.reason) == ("scheduled" if goes_on else "failed", reason)
    (told,) = await history(house, schedule)
    assert (told.outcome, told.reason, told.call_id) == ("failed", reason, None)


async def test_a_carrier_that_refuses_is_not_asked_again(house: House) -> None:
    schedule = await scheduled(house)
    runner = ScheduleRunner(house.stores, refusing(ProviderError("Refused", provider="exotel", retryable=True)))
    await round_of(house, runner, DUE)
    (told,) = await history(house, schedule)
    assert (told.outcome, told.reason, told.call_id) == ("failed", "Refused", told.id)
    assert await round_of(house, runner, DUE + MINUTE) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_active": False}, "The user who made it is deactivated"),
        ({"organization_role": "viewer"}, "The user who made it may not place calls any more"),
        (None, "The user who made it is not there any more"),
    ],
)
async def test_nothing_is_dialled_for_who_may_not(house: House, change: dict[str, Any] | None, reason: str) -> None:
    owner = house.principal.organization_id
    user_id = new_id()
    if change is not None:
        await house.stores.users.insert(a_user(owner, id=user_id, **change))
    schedule, dialler = await scheduled(house, user_id=user_id, rrule="FREQ=DAILY"), Dialler()
    await round_of(house, ScheduleRunner(house.stores, dialler), DUE)
    after = await again(house, schedule)
    assert (after.status, after.reason) == ("failed", reason)
    assert not dialler.asked


async def test_what_is_cancelled_after_it_was_seen_is_not_dialled(house: House) -> None:
    schedule, dialler = await scheduled(house), Dialler()
    await house.services.schedules.cancel(house.principal, schedule.id, DUE)
    assert await ScheduleRunner(house.stores, dialler).claim([schedule], DUE) == []
    assert not dialler.asked
    assert (await again(house, schedule)).status == "cancelled"


async def test_the_real_calls_are_dialled_once_for_a_credit_each(house: House) -> None:
    owner = house.principal.organization_id
    await fund(house.stores, owner, 9_000_000)
    number, _ = await house.line(house.principal)
    agent = await house.stores.agents.insert(an_agent(owner))
    user = await house.stores.users.insert(a_user(owner))
    order = {"user_id": user.id, "from_phone": number, "to_phone": TO, "agent_id": agent.id}
    made = [await scheduled(house, **order) for _ in range(5)]
    gone = await scheduled(house, **order | {"agent_id": new_id()})
    runners = [ScheduleRunner(house.stores, house.services.calls) for _ in range(3)]
    await asyncio.gather(*(round_of(house, runner, DUE) for runner in runners))
    assert len(house.carrier.placed) == 5
    calls = [await house.services.calls.get(house.principal, (await history(house, each))[0].id) for each in made]
    assert {(call.created_by, call.agent_id, call.to_phone) for call in calls} == {(user.id, agent.id, TO)}
    assert (await again(house, gone)).reason == "Agent not found"
