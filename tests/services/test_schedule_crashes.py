"""At most once and never lost, over the real database: runners that race, die, hang and come too late."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from models.call import CallStatus
from models.errors import (
    InsufficientCredits,
)
from services.schedule_plan import LEASE_S, claimed
from services.schedule_runner import ScheduleRunner
from tests.documents import a_user
from tests.schedules import DUE, Dialler
from tests.services.conftest import House
from tests.services.firing import (
    MINUTE,
    SECOND,
    Died,
    again,
    deal_with,
    dying,
    history,
    refusing,
    round_of,
    scheduled,
)

pytestmark = pytest.mark.integration


async def test_500_at_the_same_second_fire_once_each_with_four_runners(house: House) -> None:
    user = await house.stores.users.insert(a_user(house.principal.organization_id))
    made = await asyncio.gather(*(scheduled(house, user_id=user.id) for _ in range(500)))
    dialler = Dialler()
    runners = [ScheduleRunner(house.stores, dialler) for _ in range(4)]
    assert await asyncio.gather(*(round_of(house, runner, DUE) for runner in runners)) == [500] * 4
    assert Counter(dialler.dialled.values()) == {1: 500}
    assert len(dialler.asked) == 500
    owner = house.principal.organization_id
    assert (await house.stores.schedules.search(owner, status="done", page=1, limit=1)).total == 500
    assert {len(await history(house, each)) for each in made[:20]} == {1}


async def test_killed_across_due_times_nothing_is_lost_or_dialled_twice(house: House) -> None:
    """Runners die at every point: before the dialling, after it, before the record; others come after."""
    user = await house.stores.users.insert(a_user(house.principal.organization_id))
    made = await asyncio.gather(*(scheduled(house, user_id=user.id) for _ in range(60)))
    places = [
        Dialler(before=lambda call_id: dying()),
        Dialler(after=lambda call_id: dying()),
        Dialler(),
    ]
    dialler = Dialler()
    for place in places:
        place.calls, place.dialled = dialler.calls, dialler.dialled
    for index, schedule in enumerate(made):
        runner = ScheduleRunner(house.stores, places[index % 3])
        if index % 3 == 2:
            await house.stores.schedules.replace(schedule, claimed(schedule, DUE), DUE)  # died with its claim
            continue
        with pytest.raises(Died):
            await deal_with(runner, schedule)
    assert {(await again(house, each)).status for each in made} == {"firing"}
    assert dialler.dialled.total() == 20
    runners = [ScheduleRunner(house.stores, dialler) for _ in range(2)]
    assert await round_of(house, runners[0], DUE + 30 * SECOND) == 0  # the claims hold
    late = DUE + timedelta(seconds=LEASE_S)
    await asyncio.gather(*(round_of(house, runner, late) for runner in runners))
    assert Counter(dialler.dialled.values()) == {1: 60}
    assert {(await again(house, each)).status for each in made} == {"done"}
    assert [len(await history(house, each)) for each in made] == [1] * 60


async def test_a_runner_that_dies_between_record_and_schedule_leaves_one_word(house: House) -> None:
    schedule = await scheduled(house)
    dead = ScheduleRunner(house.stores, refusing(InsufficientCredits("Insufficient credits")))
    claim = claimed(schedule, DUE)
    await deal_with(dead, schedule)
    # As if the last write had not arrived.
    done = await again(house, schedule)
    assert await house.stores.schedules.replace(done, claim, DUE) is not None
    dialler = Dialler()
    await round_of(house, ScheduleRunner(house.stores, dialler), DUE + timedelta(seconds=LEASE_S))
    assert not dialler.dialled
    assert (await again(house, schedule)).reason == "Insufficient credits"
    assert [each.outcome for each in await history(house, schedule)] == ["failed"]


async def test_a_call_made_before_a_long_absence_is_not_missed(house: House) -> None:
    schedule = await scheduled(house)
    dialler = Dialler(after=lambda call_id: dying())
    with pytest.raises(Died):
        await deal_with(ScheduleRunner(house.stores, dialler), schedule)
    await round_of(house, ScheduleRunner(house.stores, dialler), DUE + timedelta(days=1))
    (told,) = await history(house, schedule)
    assert (told.outcome, told.call_id) == ("done", next(iter(dialler.calls)))
    assert dialler.dialled.total() == 1


async def test_a_call_that_the_carrier_never_took_is_no_success(house: House) -> None:
    schedule = await scheduled(house)
    dialler = Dialler(after=lambda call_id: dying())
    with pytest.raises(Died):
        await deal_with(ScheduleRunner(house.stores, dialler), schedule)
    ((call_id, call),) = dialler.calls.items()
    dialler.calls[call_id] = call.model_copy(update={"carrier_call_id": None, "status": CallStatus.NO_ANSWER})
    await round_of(house, ScheduleRunner(house.stores, dialler), DUE + MINUTE)
    (told,) = await history(house, schedule)
    assert (told.outcome, told.call_id, told.reason) == ("failed", call_id, "The carrier did not take the call")


async def test_an_attempt_that_hangs_is_cut_and_its_call_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.schedule_runner.ATTEMPT_S", 0.05)
    schedule, dialler = await scheduled(house), Dialler(hold=asyncio.Event())
    runner = ScheduleRunner(house.stores, dialler)
    await round_of(house, runner, DUE)
    assert (await again(house, schedule)).status == "firing"
    await round_of(house, runner, DUE + timedelta(seconds=LEASE_S))
    assert (await again(house, schedule)).status == "done"
    assert dialler.dialled.total() == 1


async def test_what_was_claimed_ahead_and_waited_too_long_is_dialled_by_one(house: House) -> None:
    schedule, dialler = await scheduled(house), Dialler()
    runners = [ScheduleRunner(house.stores, dialler) for _ in range(2)]
    (claim,) = await runners[0].claim([schedule], DUE - 2 * SECOND)
    assert claim.schedule.wake_at == DUE + timedelta(seconds=LEASE_S)
    late = DUE + timedelta(seconds=LEASE_S + 1)
    await deal_with(runners[1], await again(house, schedule), now=late)
    assert await runners[0].dial(claim, late) is None  # its turn comes only now, and the schedule is another's
    assert (dialler.dialled.total(), len(dialler.asked)) == (1, 1)
    assert (await again(house, schedule)).status == "done"


async def test_a_claim_whose_turn_comes_late_is_renewed(house: House) -> None:
    schedule, dialler = await scheduled(house), Dialler()
    runner = ScheduleRunner(house.stores, dialler)
    (claim,) = await runner.claim([schedule], DUE)
    dealt = await runner.dial(claim, DUE + 40 * SECOND)
    assert dealt is not None
    await runner.record([dealt], DUE + 41 * SECOND)
    assert dialler.dialled.total() == 1
    (told,) = await history(house, schedule)
    assert told.created_at == DUE + 40 * SECOND
