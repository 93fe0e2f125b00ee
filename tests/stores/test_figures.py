"""What calls come to, computed by the real database and, from the same calls, in Python."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any, get_args

import pytest

from models.call import Call, CallStatus, CostBreakdown, Direction
from models.document import Id, new_id
from models.errors import NotFound
from stores.figures import TOP_AGENTS, Figures
from stores.repositories import Repositories
from tests.documents import NOW, a_call

pytestmark = pytest.mark.integration


def random_call(random: Random, organization_id: Id, agents: list[Id]) -> Call:
    """A call of one of the agents, some time within ten hours; its log has seconds when it is over."""
    status = random.choice(list(CallStatus))
    at = NOW + timedelta(minutes=random.randrange(600))
    cost = CostBreakdown(**{part: random.randrange(10**6) for part in ("stt", "llm", "tts", "telephony")})
    over: dict[str, Any] = {"ended_at": at, "duration_sec": random.randrange(900), "charged_micros": cost.total}
    return a_call(
        organization_id,
        agent_id=random.choice(agents),
        direction=random.choice(get_args(Direction)),
        status=status,
        created_at=at,
        cost=cost,
        **(over if status.is_final else {}),
    )


def figures_of(calls: list[Call]) -> Figures:
    """The same, added up here."""
    return Figures(
        calls=len(calls),
        over=sum(call.ended_at is not None for call in calls),
        completed=sum(call.status is CallStatus.COMPLETED for call in calls),
        seconds=sum(call.duration_sec or 0 for call in calls),
        cost_micros=sum(call.charged_micros or 0 for call in calls),
    )


def within(calls: list[Call], since: datetime | None, before: datetime | None) -> list[Call]:
    return [
        call
        for call in calls
        if (since is None or call.created_at >= since) and (before is None or call.created_at < before)
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_figures_are_those_of_the_calls(stores: Repositories, organization_id: Id, seed: int) -> None:
    random = Random(seed)
    agents = [new_id() for _ in range(random.randrange(1, 9))]
    calls = [random_call(random, organization_id, agents) for _ in range(random.randrange(80))]
    for call in (*calls, random_call(random, new_id(), agents)):
        await stores.calls.insert(call)
    edges = [None, *(NOW + timedelta(minutes=random.randrange(600)) for _ in range(3))]
    for since, before in ((since, before) for since in edges for before in edges):
        found, wanted = (
            await stores.calls.overview(organization_id, since=since, before=before),
            within(calls, since, before),
        )
        assert found.total == figures_of(wanted)
        assert found.by_status == Counter(call.status for call in wanted)
        directions = Counter(call.direction for call in wanted)
        assert found.by_direction == {direction: directions[direction] for direction in get_args(Direction)}
        busiest = sorted(Counter(call.agent_id for call in wanted).items(), key=lambda entry: (-entry[1], entry[0]))
        assert found.top_agents == [
            (agent, figures_of([call for call in wanted if call.agent_id == agent]))
            for agent, _ in busiest[:TOP_AGENTS]
        ]
    for agent in agents:
        own = [call for call in calls if call.agent_id == agent]
        assert await stores.calls.figures(organization_id, agent) == figures_of(own)


async def test_an_agents_last_name_is_the_one_shown(stores: Repositories, organization_id: Id) -> None:
    agent_id = new_id()
    for minute, name in enumerate(["First", "Second", "Third"]):
        at = NOW + timedelta(minutes=minute)
        await stores.calls.insert(a_call(organization_id, agent_id=agent_id, agent_name=name, created_at=at))
    assert await stores.calls.agent_name(organization_id, agent_id) == "Third"
    with pytest.raises(NotFound):
        await stores.calls.agent_name(new_id(), agent_id)


def test_averages_are_of_the_calls_that_are_over() -> None:
    figures = Figures(calls=6, over=4, completed=3, seconds=402)
    assert (figures.average_seconds, figures.success_rate) == (100, 0.75)
    assert (Figures(calls=1).average_seconds, Figures(calls=1).success_rate) == (0, 0.0)
