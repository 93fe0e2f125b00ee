"""Lists of calls, whatever they are filtered by, read the documents they return and count without documents."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, product
from typing import Any, get_args

import pytest
from pymongo import AsyncMongoClient

from bench.explain import Plan, Sent, explained
from models.call import CallStatus, CampaignCall, Direction, Disposition
from models.document import Id, new_id
from models.settings import Settings
from stores import totals
from stores.call_lists import LIVE
from stores.calls import Calls, Still
from stores.mongo import Database, connect, database
from stores.repositories import Repositories
from tests.documents import NOW, a_call

pytestmark = pytest.mark.integration

CALLS = 480
LIMIT = 5
CAMPAIGN = new_id()
AGENTS = tuple(new_id() for _ in range(3))
FILTERS: dict[str, dict[str, Any]] = {
    "status": {"status": CallStatus.COMPLETED},
    "direction": {"direction": "outbound"},
    "agentId": {"agent_id": AGENTS[0]},
    "fromDate": {"since": NOW - timedelta(hours=7)},
    "toDate": {"before": NOW - timedelta(hours=1)},
}
COMBINATIONS = [names for n in range(len(FILTERS) + 1) for names in combinations(FILTERS, n)]


@dataclass(frozen=True, slots=True)
class Log:
    """A log of one organization beside another's, and the queries made on it."""

    calls: Calls
    organization_id: Id
    database: Database
    sent: Sent

    async def plans(self) -> list[Plan]:
        """How the queries since the last time were answered."""
        return [await explained(self.database, command) for command in self.sent.taken()]


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    """480 calls, one a minute, of every status, direction and agent in turn."""
    sent = Sent()
    client = AsyncMongoClient[dict[str, Any]](settings.mongodb_url, tz_aware=True, event_listeners=[sent])
    async with client:
        database = client[f"{settings.mongodb_database}_indexes"]
        calls, ours = Calls(database), new_id()
        await calls.create_indexes()
        kinds = list(product(CallStatus, get_args(Direction), AGENTS))
        rows = []
        for n in range(CALLS):
            status, direction, agent_id = kinds[n % len(kinds)]
            made = NOW - timedelta(minutes=n)
            fields: dict[str, Any] = {
                "status": status,
                "direction": direction,
                "agent_id": agent_id,
                "created_at": made,
            }
            if (turn := n // len(kinds)) % 2:
                campaign_id = CAMPAIGN if turn != 3 else new_id()
                fields["campaign"] = CampaignCall(campaign_id=campaign_id, contact_id=new_id(), attempt=1)
            if turn % 3:
                fields["disposition"] = Disposition(name="sold" if turn != 2 else "lost", at=NOW)
            rows += [a_call(owner, **fields).to_mongo() for owner in (ours, new_id())]
        await database["calls"].insert_many(rows)
        yield Log(calls, ours, database, sent)
        await client.drop_database(database.name)


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
async def test_every_combination_of_filters_reads_what_it_returns(log: Log, names: tuple[str, ...]) -> None:
    chosen = {key: value for name in names for key, value in FILTERS[name].items()}
    page = await log.calls.search(log.organization_id, **chosen, page=1, limit=LIMIT)
    everything = await log.calls.search(log.organization_id, **chosen, page=1, limit=CALLS + 1)
    assert page.total == len(everything.items) == everything.total
    assert [call.id for call in page.items] == [call.id for call in everything.items[:LIMIT]]
    listed, counted, *_ = await log.plans()
    ranges = listed.stages.count("IXSCAN")
    assert ranges >= 1
    assert not {"COLLSCAN", "SORT"} & {*listed.stages, *counted.stages}
    assert (listed.documents, listed.returned) == (LIMIT, LIMIT)
    assert listed.keys <= LIMIT + ranges
    assert listed.index == counted.index
    assert counted.documents == 0
    assert counted.keys <= page.total + 3 * 16


RARE: dict[str, dict[str, Any]] = {
    "campaignId": {"campaign_id": CAMPAIGN},
    "disposition": {"disposition": "sold"},
}
"""What only some calls have, so that it has indexes of its own."""
RARE_COMBINATIONS = [
    (*rare, *names)
    for n in (1, 2)
    for rare in combinations(RARE, n)
    for names in ((), ("status",), ("agentId",), ("fromDate", "toDate"), ("status", "direction", "agentId"))
]


@pytest.mark.parametrize("names", RARE_COMBINATIONS, ids="+".join)
async def test_campaigns_and_dispositions_read_the_documents_they_return(log: Log, names: tuple[str, ...]) -> None:
    chosen = {key: value for name in names for key, value in (FILTERS | RARE)[name].items()}
    page = await log.calls.search(log.organization_id, **chosen, page=1, limit=LIMIT)
    everything = await log.calls.search(log.organization_id, **chosen, page=1, limit=CALLS + 1)
    assert page.total == len(everything.items) > 0
    assert [call.id for call in page.items] == [call.id for call in everything.items[:LIMIT]]
    listed, *counted = [plan for plan in await log.plans()][: 2 if page.total > LIMIT else 1]
    assert not {"COLLSCAN", "SORT"} & {stage for plan in (listed, *counted) for stage in plan.stages}
    assert listed.documents == listed.returned == len(page.items)
    assert all(plan.documents == 0 for plan in counted)


async def test_a_total_follows_what_is_said_of_old_calls(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MANY", 10)
    chosen: dict[str, Any] = {"disposition": "sold", "page": 1, "limit": LIMIT}
    before = await log.calls.search(log.organization_id, **chosen)
    await log.calls.save_disposition(before.items[0].id, None)
    assert (await log.calls.search(log.organization_id, **chosen)).total == before.total - 1


async def test_a_late_page_reads_only_its_own_documents(log: Log) -> None:
    page = await log.calls.search(log.organization_id, direction="outbound", page=20, limit=LIMIT)
    listed, *_ = await log.plans()
    assert (len(page.items), listed.documents) == (LIMIT, LIMIT)


async def test_the_last_page_needs_no_count(log: Log) -> None:
    page = await log.calls.search(log.organization_id, page=2, limit=CALLS - 1)
    assert (page.total, len(page.items), len(log.sent.taken())) == (CALLS, 1, 1)


async def test_a_page_past_the_end_still_knows_the_total(log: Log) -> None:
    assert (await log.calls.search(log.organization_id, page=99, limit=CALLS)).total == CALLS


async def test_the_sweeper_walks_over_live_calls_only(log: Log) -> None:
    waiting = Still((CallStatus.INITIATED, CallStatus.RINGING), made_before=NOW)
    found = await log.calls.stale(waiting)
    (plan,) = await log.plans()
    assert not {"COLLSCAN", "SORT"} & set(plan.stages)
    assert (plan.index, plan.documents) == ("status_1_createdAt_1", len(found))


async def test_whether_an_agent_is_busy_reads_one_call_at_most(log: Log) -> None:
    assert await log.calls.is_agent_busy(log.organization_id, AGENTS[0])
    idle = new_id()
    assert not await log.calls.is_agent_busy(log.organization_id, idle)
    assert all(plan.documents <= 1 and plan.keys <= len(LIVE) + 1 for plan in await log.plans())


async def test_an_agents_figures_come_out_of_the_index(log: Log) -> None:
    figures = await log.calls.figures(log.organization_id, AGENTS[0])
    (plan,) = await log.plans()
    assert (figures.calls, plan.documents) == (CALLS // len(AGENTS), 0)


async def test_remembered_totals_count_what_came_after(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MANY", 10)
    chosen: dict[str, Any] = {"status": CallStatus.COMPLETED, "page": 1, "limit": LIMIT}
    before = await log.calls.search(log.organization_id, **chosen)
    log.sent.taken()
    later = a_call(log.organization_id, created_at=NOW, status=CallStatus.COMPLETED)
    await log.calls.insert(later)
    after = await log.calls.search(log.organization_id, **chosen)
    assert (before.total, after.total) == (CALLS // len(CallStatus), before.total + 1)
    assert (await log.plans())[1].keys < before.total


async def test_remembered_totals_follow_calls_that_end(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MANY", 10)
    chosen: dict[str, Any] = {"page": 1, "limit": LIMIT}
    ongoing, failed = ({"status": status, **chosen} for status in (CallStatus.IN_PROGRESS, CallStatus.FAILED))
    before = [(await log.calls.search(log.organization_id, **each)).total for each in (ongoing, failed)]
    live = (await log.calls.search(log.organization_id, status=CallStatus.IN_PROGRESS, page=1, limit=CALLS)).items
    for call in (live[0], live[-1]):
        assert await log.calls.finish(call.id, status=CallStatus.FAILED, reason="lost", now=NOW)
    after = [(await log.calls.search(log.organization_id, **each)).total for each in (ongoing, failed)]
    assert after == [before[0] - 2, before[1] + 2]


async def test_a_database_without_our_indexes_answers_all_the_same(settings: Settings) -> None:
    unprepared = settings.model_copy(update={"mongodb_database": f"{settings.mongodb_database}_unprepared"})
    async with connect(unprepared) as client:
        calls = Repositories.over(database(client, unprepared)).calls
        call = await calls.insert(a_call(new_id(), status=CallStatus.COMPLETED))
        owner = call.organization_id
        page = await calls.search(owner, status=CallStatus.COMPLETED, page=1, limit=1)
        assert ([found.id for found in page.items], page.total) == ([call.id], 1)
        assert (await calls.overview(owner, since=None, before=None)).total.calls == 1
        assert (await calls.figures(owner, call.agent_id)).completed == 1
        await client.drop_database(unprepared.mongodb_database)
