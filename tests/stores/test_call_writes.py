"""Calls that go from one actor to the next, against the real database: nobody writes to a call that is not its own."""

import asyncio
from datetime import timedelta

import pytest

from models.call import Call, CallStatus, CostBreakdown, FunctionCall, Lease, Progress, Turn, Usage
from models.document import Id
from models.errors import Conflict
from stores.calls import ANY_LIVE, Still
from stores.repositories import Repositories
from tests.documents import NOW, a_call, a_turn

pytestmark = pytest.mark.integration

USAGE, COST = Usage(stt_ms=1000), CostBreakdown(stt=100)
MORE, DEARER = Usage(stt_ms=9000), CostBreakdown(stt=900)
LATER = NOW + timedelta(seconds=30)
PENDING = FunctionCall(id="call_1", name="book_table", arguments='{"people": 2}')
PROGRESS = Progress(text="One moment.", clause="I book it.", clause_at=NOW, clause_ms=900, functions=(PENDING,))


def answer(index: int, content: str = "One moment.") -> Turn:
    return Turn(index=index, role="assistant", content=content, timestamp=NOW, functions=(PENDING,))


@pytest.fixture
async def call(stores: Repositories, organization_id: Id) -> Call:
    """A call that the actor `a` has, with one turn."""
    lease = Lease(actor="a", leased_at=NOW)
    fields = {"lease": lease, "status": CallStatus.IN_PROGRESS, "turns": [a_turn(0)]}
    return await stores.calls.insert(a_call(organization_id, **fields))


async def taken_over(stores: Repositories, call: Call, by: str = "b", of: str = "a") -> Call | None:
    return await stores.calls.take_over(call.session_id, of, Lease(actor=by, leased_at=LATER), LATER)


async def test_another_actor_takes_over_all_there_is(stores: Repositories, call: Call) -> None:
    assert await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")
    taken = await taken_over(stores, call)
    assert taken is not None
    assert (taken.lease, taken.turns, taken.progress) == (Lease(actor="b", leased_at=LATER), [a_turn(0)], PROGRESS)
    assert taken == await stores.calls.by_id(call.id)
    assert await taken_over(stores, call) == taken, "the same again is the same"


async def test_one_of_many_takes_over(stores: Repositories, call: Call) -> None:
    taken = await asyncio.gather(*(taken_over(stores, call, by=f"actor-{n}") for n in range(10)))
    assert sum(each is not None for each in taken) == 1


async def test_nobody_takes_over_what_is_over_or_not_that_actors(stores: Repositories, call: Call) -> None:
    assert await taken_over(stores, call, of="somebody") is None
    await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=NOW)
    assert await taken_over(stores, call) is None


async def test_an_actor_that_lost_its_call_cannot_write_to_it(stores: Repositories, call: Call) -> None:
    await taken_over(stores, call)
    with pytest.raises(Conflict):
        await stores.calls.append_turn(call.id, a_turn(1, "late"), MORE, DEARER, NOW, "a")
    with pytest.raises(Conflict):
        await stores.calls.save_usage(call.id, MORE, DEARER, NOW, "a")
    assert not await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")
    mine = Still(actor="a")
    assert await stores.calls.finish(call.id, status=CallStatus.FAILED, reason="x", now=NOW, still=mine) is None
    assert await stores.calls.append_turn(call.id, a_turn(1, "mine"), USAGE, COST, LATER, "b")
    stored = await stores.calls.by_id(call.id)
    assert [turn.content for turn in stored.turns] == ["Hello", "mine"]
    assert (stored.usage, stored.progress, stored.status) == (USAGE, None, CallStatus.IN_PROGRESS)


async def test_nor_when_the_next_actor_has_ended_it(stores: Repositories, call: Call) -> None:
    await taken_over(stores, call)
    for _ in range(2):
        await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=LATER)
    with pytest.raises(Conflict):
        await stores.calls.append_turn(call.id, a_turn(1, "late"), MORE, DEARER, NOW, "a")
    assert await stores.calls.append_turn(call.id, a_turn(1, "mine"), MORE, DEARER, NOW, "b")
    await stores.calls.save_usage(call.id, MORE, DEARER, NOW, "b")
    stored = await stores.calls.by_id(call.id)
    assert ([turn.content for turn in stored.turns], stored.usage) == (["Hello", "mine"], Usage())


async def test_of_two_actors_who_write_the_same_turn_the_owner_wins(stores: Repositories, call: Call) -> None:
    await taken_over(stores, call)
    late = [stores.calls.append_turn(call.id, a_turn(1, "late"), USAGE, COST, NOW, "a") for _ in range(5)]
    mine = [stores.calls.append_turn(call.id, a_turn(1, "mine"), USAGE, COST, NOW, "b") for _ in range(5)]
    answers = await asyncio.gather(*late, *mine, return_exceptions=True)
    assert all(isinstance(each, Conflict) for each in answers[:5])
    assert sorted(map(bool, answers[5:])) == [False] * 4 + [True]
    assert [turn.content for turn in (await stores.calls.by_id(call.id)).turns] == ["Hello", "mine"]


async def test_a_turn_whose_answer_was_lost_is_known_to_be_there(stores: Repositories, call: Call) -> None:
    written = [await stores.calls.append_turn(call.id, a_turn(1), USAGE, COST, NOW, "a") for _ in range(2)]
    assert written == [True, False]
    await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=NOW)
    after_the_end = [await stores.calls.append_turn(call.id, a_turn(2), USAGE, COST, NOW, "a") for _ in range(2)]
    assert after_the_end == [True, False]


async def test_the_agents_turn_takes_the_place_of_its_progress(stores: Repositories, call: Call) -> None:
    await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")
    await stores.calls.append_turn(call.id, a_turn(1, "And"), USAGE, COST, NOW, "a")
    assert (await stores.calls.by_id(call.id)).progress == PROGRESS
    await stores.calls.append_turn(call.id, answer(2), USAGE, COST, NOW, "a")
    stored = await stores.calls.by_id(call.id)
    assert (stored.progress, stored.turns[-1]) == (None, answer(2))


async def test_a_closed_log_has_no_progress(stores: Repositories, call: Call) -> None:
    await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")
    finished = await stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=NOW)
    assert finished is not None
    assert finished.progress is None
    assert not await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")


async def test_a_turn_under_way_is_closed_once_and_is_no_news(stores: Repositories, call: Call) -> None:
    assert await stores.calls.under_way(call.id, ANY_LIVE) is None
    await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")
    cut = await stores.calls.under_way(call.id, ANY_LIVE)
    assert cut is not None
    assert not await stores.calls.cut_short(cut, answer(1), Still(uncarried=True))
    ends = await asyncio.gather(*(stores.calls.cut_short(cut, answer(1), ANY_LIVE) for _ in range(5)))
    assert sum(ends) == 1
    stored = await stores.calls.by_id(call.id)
    assert (stored.progress, stored.turns, stored.updated_at) == (None, [a_turn(0), answer(1)], NOW)


async def test_a_turn_that_moved_on_is_not_cut_short(stores: Repositories, call: Call) -> None:
    await stores.calls.save_progress(call.id, PROGRESS, NOW, "a")
    cut = await stores.calls.under_way(call.id, ANY_LIVE)
    assert cut is not None
    await stores.calls.save_progress(call.id, PROGRESS.model_copy(update={"clause_at": LATER}), NOW, "a")
    assert not await stores.calls.cut_short(cut, answer(1), ANY_LIVE)
