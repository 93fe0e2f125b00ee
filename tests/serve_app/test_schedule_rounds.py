"""When schedules are fired, on a virtual clock."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from models.document import Id, new_id
from models.schedule import Schedule
from serve_app.schedule_rounds import LOOK_S, ScheduleRounds
from services.schedule_pace import AT_ONCE, PAUSE
from services.schedule_plan import NotYet, Result, cancelled
from services.schedule_runner import Claim, Dealt
from tests.documents import NOW
from tests.schedules import a_schedule
from tests.virtual_time import virtual

AGAIN_S = 5.0


def clock() -> datetime:
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Store:
    """Schedules that several replicas look at, and what was fired when, in seconds."""

    schedules: dict[Id, Schedule] = field(default_factory=dict)
    fired: list[tuple[Id, float]] = field(default_factory=list)
    takes_s: float = 0.0
    failure: Exception | None = None
    recorded: list[Id] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lines: int = 1_000_000
    """Calls there is room for at the same time, each of which lasts so long."""
    call_s: float = 0.0
    busy: int = 0
    refused: int = 0
    taken_over: bool = False

    def add(self, in_s: float) -> Schedule:
        """One that wakes then."""
        schedule = a_schedule(new_id()).model_copy(update={"wake_at": NOW + timedelta(seconds=in_s)})
        self.schedules[schedule.id] = schedule
        return schedule

    async def due(self, before: datetime, *, limit: int) -> Sequence[Schedule]:
        """As the database finds them."""
        await asyncio.sleep(0.002)
        if self.failure is not None:
            raise self.failure
        found = [each for each in self.schedules.values() if each.wake_at and each.wake_at < before]
        return sorted(found, key=lambda each: str(each.wake_at))[:limit]

    async def claim(self, seen: Sequence[Schedule], now: datetime) -> Sequence[Claim]:
        """Whoever comes first with what is stored has it."""
        await asyncio.sleep(0.002)
        ours = [each for each in seen if self.schedules[each.id] is each]
        self.schedules |= {each.id: cancelled(each) for each in ours}
        return [Claim(each, self.taken_over, None) for each in ours]

    async def dial(self, claim: Claim, now: datetime) -> Dealt | None:
        """Takes a while."""
        if self.busy >= self.lines:
            await asyncio.sleep(self.takes_s)
            self.refused += 1
            return Dealt(claim.schedule, NotYet("Every line is busy", AGAIN_S), now)
        if self.call_s:
            self.busy += 1
            asyncio.get_running_loop().call_later(self.takes_s + self.call_s, self._hung_up)
        self.fired.append((claim.schedule.id, (now - NOW).total_seconds()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.takes_s)
        self.at_once -= 1
        return Dealt(claim.schedule, Result("done"), now)

    async def record(self, dealt: Sequence[Dealt], now: datetime) -> None:
        """Keeps what it is told; what is put off wakes again."""
        for each in dealt:
            if isinstance(each.came_to, NotYet):
                wake_at = each.at + timedelta(seconds=each.came_to.again_s)
                self.schedules[each.schedule.id] = each.schedule.model_copy(update={"wake_at": wake_at})
                self.put_off.append(each.came_to.reason)
            else:
                self.recorded.append(each.schedule.id)

    def _hung_up(self) -> None:
        self.busy -= 1


async def run(store: Store, for_s: float, replicas: int = 1) -> None:
    """Replicas look after the store for a while."""
    async with AsyncExitStack() as stack:
        for _ in range(replicas):
            await stack.enter_async_context(ScheduleRounds(store, clock).running())
        await asyncio.sleep(for_s)


@virtual
async def test_each_fires_at_its_moment_and_not_at_the_next_look() -> None:
    store = Store()
    moments = [0.0, 0.7, 1.234, 3.3, 60.01]
    for moment in moments:
        store.add(moment)
    await run(store, 61)
    assert [at for _, at in store.fired] == pytest.approx(moments, abs=0.01)


@virtual
async def test_500_of_the_same_second_fire_at_once_and_once_on_two_replicas() -> None:
    store = Store(takes_s=0.02)
    made = [store.add(5.0) for _ in range(500)]
    await run(store, 10, replicas=2)
    assert Counter(each for each, _ in store.fired) == dict.fromkeys((each.id for each in made), 1)
    assert max(at for _, at in store.fired) - 5.0 < 0.2
    assert store.most_at_once <= 2 * AT_ONCE
    assert sorted(store.recorded) == sorted(each.id for each in made)


@virtual
async def test_more_than_are_held_at_hand_are_fired_all_the_same() -> None:
    store = Store()
    for _ in range(2500):
        store.add(1.0)
    await run(store, 5)
    assert len(store.fired) == 2500


@virtual
async def test_one_made_for_right_now_waits_for_one_look() -> None:
    store = Store()
    async with ScheduleRounds(store, clock).running():
        await asyncio.sleep(10.1)
        store.add(10.1)
        await asyncio.sleep(LOOK_S)
        assert len(store.fired) == 1


@virtual
async def test_one_that_takes_long_keeps_nobody_waiting() -> None:
    store = Store(takes_s=30.0)
    for moment in (1.0, 2.0, 3.0):
        store.add(moment)
    await run(store, 40)
    assert [at for _, at in store.fired] == pytest.approx([1.0, 2.0, 3.0], abs=0.01)


@virtual
async def test_with_lines_for_a_few_all_are_dialled_as_lines_are_free_and_few_are_refused() -> None:
    store = Store(takes_s=0.05, lines=8, call_s=0.25)
    made = [store.add(5.0) for _ in range(500)]
    await run(store, 65, replicas=2)
    assert Counter(each for each, _ in store.fired) == dict.fromkeys((each.id for each in made), 1)
    assert store.refused < len(made)  # before, ten times as many: each that waited was tried every few seconds


@virtual
async def test_with_no_line_at_all_few_are_tried_and_all_that_wait_say_why() -> None:
    store = Store(takes_s=0.05, lines=0)
    for _ in range(500):
        store.add(5.0)
    await run(store, 65, replicas=2)
    assert store.refused < 2 * (AT_ONCE + 62 / PAUSE.total_seconds())
    assert set(store.put_off) == {"Every line is busy"}
    waking = [each.wake_at for each in store.schedules.values()]
    assert sum(each is not None and each > NOW + timedelta(seconds=5) for each in waking) > 400


@virtual
async def test_once_there_is_room_again_the_next_ones_are_in_time() -> None:
    store = Store(takes_s=0.05, lines=0)
    store.add(1.0)
    async with ScheduleRounds(store, clock).running():
        await asyncio.sleep(10)
        store.lines = 1000
        await asyncio.sleep(60)
        late = [store.add(80.0) for _ in range(AT_ONCE)]
        await asyncio.sleep(20)
    at = dict(store.fired)
    assert [at[each.id] for each in late] == pytest.approx([80.0] * AT_ONCE, abs=0.02)


@virtual
async def test_one_that_was_taken_over_is_not_put_off_untried_as_its_call_may_have_been_made() -> None:
    store = Store(takes_s=0.05, lines=0, taken_over=True)
    for _ in range(40):
        store.add(1.0)
    await run(store, 30)
    assert store.refused == len(store.put_off) > 40


@virtual
async def test_a_store_that_is_away_is_looked_at_again() -> None:
    store = Store(failure=RuntimeError("away"))
    store.add(1.0)
    async with ScheduleRounds(store, clock).running():
        await asyncio.sleep(5)
        assert store.fired == []
        store.failure = None
        await asyncio.sleep(1)
        assert len(store.fired) == 1


@virtual
async def test_on_leaving_what_is_dialled_comes_to_its_end_and_what_hangs_is_cut() -> None:
    for takes_s, is_finished in ((2.0, True), (600.0, False)):
        store = Store(takes_s=takes_s)
        store.add(asyncio.get_running_loop().time() + 1.0)
        began = asyncio.get_running_loop().time()
        await run(store, 1.5)
        assert (store.at_once == 0) is is_finished
        assert len(store.recorded) == is_finished
        assert asyncio.get_running_loop().time() - began < 10
