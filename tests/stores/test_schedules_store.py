"""Schedules against the real database: who of many gets one, and what wakes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from models.document import Id, new_id
from models.errors import NotFound
from services.schedule_plan import Result, cancelled, claimed, occurrence
from stores.repositories import Repositories
from tests.documents import NOW
from tests.lost_answers import lose_one
from tests.schedules import DUE, a_schedule

pytestmark = pytest.mark.integration


async def test_of_twenty_who_claim_a_schedule_one_has_it(stores: Repositories, organization_id: Id) -> None:
    for _ in range(10):
        seen = await stores.schedules.insert(a_schedule(organization_id))
        claims = [claimed(seen, DUE) for _ in range(20)]
        won = await asyncio.gather(*(stores.schedules.replace(seen, claim, DUE) for claim in claims))
        (winner,) = [each for each in won if each is not None]
        assert await stores.schedules.get(organization_id, seen.id) == winner


async def test_a_claim_that_has_run_out_is_taken_over_once(stores: Repositories, organization_id: Id) -> None:
    seen = await stores.schedules.insert(a_schedule(organization_id))
    dead = await stores.schedules.replace(seen, claimed(seen, DUE), DUE)
    assert dead is not None
    later = DUE + timedelta(minutes=2)
    won = await asyncio.gather(*(stores.schedules.replace(dead, claimed(dead, later), later) for _ in range(20)))
    assert [each is None for each in won].count(False) == 1
    assert await stores.schedules.replace(dead, cancelled(dead), later) is None


async def test_a_claim_that_arrived_before_its_connection_broke_is_won(
    stores: Repositories, organization_id: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await stores.schedules.insert(a_schedule(organization_id))
    arrived = lose_one(stores.schedules, monkeypatch)
    assert await stores.schedules.replace(seen, claimed(seen, DUE), DUE) is not None
    assert len(arrived) == 2


async def test_what_is_due_wakes_in_order(stores: Repositories, organization_id: Id) -> None:
    times = [timedelta(days=-40_000, seconds=seconds) for seconds in (3, 1, 2, 9)]
    made = [a_schedule(organization_id).model_copy(update={"wake_at": DUE + at}) for at in times]
    gone = cancelled(a_schedule(organization_id))
    await asyncio.gather(*(stores.schedules.insert(each) for each in (*made, gone)))
    before = DUE + timedelta(days=-40_000, seconds=9)

    async def found(limit: int) -> list[Id]:
        return [each.id for each in await stores.schedules.due(before, limit=limit)]

    assert await found(9) == [made[1].id, made[2].id, made[0].id]
    assert await found(1) == [made[1].id]


async def test_of_four_who_claim_lots_each_schedule_has_one(stores: Repositories, organization_id: Id) -> None:
    seen = [await stores.schedules.insert(a_schedule(organization_id)) for _ in range(50)]
    lots = [[(each, claimed(each, DUE)) for each in seen] for _ in range(4)]
    won = await asyncio.gather(*(stores.schedules.replace_all(lot, DUE) for lot in lots))
    assert sorted(each.id for lot in won for each in lot) == sorted(each.id for each in seen)
    assert [each for lot in won for each in lot if each != await stores.schedules.get(organization_id, each.id)] == []
    assert await stores.schedules.replace_all([], DUE) == []


async def test_what_is_due_is_found_by_an_index(stores: Repositories) -> None:
    plan = await stores.schedules._rows.find({"wakeAt": {"$lt": NOW}}).sort([("wakeAt", 1), ("_id", 1)]).explain()
    assert plan["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == "wakeAt_1__id_1"


async def test_lists_are_a_tenants_by_status_and_agent(stores: Repositories, organization_id: Id) -> None:
    first = await stores.schedules.insert(a_schedule(organization_id))
    other = await stores.schedules.insert(a_schedule(organization_id))
    await stores.schedules.replace(other, cancelled(other), NOW)

    async def found(organization: Id = organization_id, **where: Any) -> list[Id]:
        return [each.id for each in (await stores.schedules.search(organization, **where, page=1, limit=9)).items]

    assert await found() == [other.id, first.id]
    assert await found(status="cancelled") == [other.id]
    assert await found(agent_id=first.agent_id) == [first.id]
    assert await found(agent_id=first.agent_id, status="cancelled") == await found(new_id()) == []


async def test_the_first_word_on_a_time_counts(stores: Repositories, organization_id: Id) -> None:
    schedule = claimed(a_schedule(organization_id), DUE)
    first = occurrence(schedule, Result("failed", "No credit"), NOW)
    other = occurrence(claimed(a_schedule(organization_id), DUE), Result("missed", "Too late"), NOW)
    await stores.occurrences.insert_all([first])
    await stores.occurrences.insert_all([occurrence(schedule, Result("done", call_id=new_id()), NOW), other])
    await stores.occurrences.insert_all([])
    assert await stores.occurrences.known(organization_id, other.id) == other
    assert await stores.occurrences.known(organization_id, first.id) == first
    assert await stores.occurrences.known(new_id(), first.id) is None
    history = await stores.occurrences.of_schedule(organization_id, schedule.id, page=1, limit=9)
    assert history.items == [first]


async def test_a_schedule_of_another_organization_is_not_there(stores: Repositories, organization_id: Id) -> None:
    schedule = await stores.schedules.insert(a_schedule(organization_id))
    with pytest.raises(NotFound):
        await stores.schedules.get(new_id(), schedule.id)
