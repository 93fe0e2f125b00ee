"""/dashboard: what an organization's calls come to."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict

from models.call import CallStatus, Direction
from models.document import Model
from models.money import to_credits
from serve_app.authentication import Provided, allowed
from serve_app.envelope import Success
from serve_app.resources.lists import FromDate, ToDate, before, fails_with, since
from services.dashboard import TopAgent
from services.principal import Principal

router = APIRouter(prefix="/dashboard", tags=["dashboard"])

Reader = Annotated[Principal, Depends(allowed("dashboard:read"))]


class TopAgentResource(Model):
    """An agent among the five with most calls; `avg_duration` in seconds, of its calls that are over."""

    agent_id: str
    agent_name: str
    total_calls: int
    avg_duration: int

    @classmethod
    def of(cls, top: TopAgent) -> Self:
        """As the API shows it."""
        return cls(
            agent_id=top.agent_id,
            agent_name=top.name,
            total_calls=top.figures.calls,
            avg_duration=top.figures.average_seconds,
        )


class DashboardStats(Model):
    """Durations in seconds, cost in credits; they, average and success rate are of the calls that are over."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "totalCalls": 150,
                    "totalDuration": 45000,
                    "avgDuration": 300,
                    "successRate": 0.92,
                    "totalCost": 14.58,
                    "callsByStatus": {"completed": 138, "failed": 8, "no-answer": 4},
                    "callsByDirection": {"inbound": 85, "outbound": 65},
                    "topAgents": [
                        {
                            "agentId": "64f8a1b2c3d4e5f6a7b8c9d1",
                            "agentName": "Sales Agent",
                            "totalCalls": 95,
                            "avgDuration": 320,
                        }
                    ],
                }
            ]
        }
    )
    total_calls: int
    total_duration: int
    avg_duration: int
    success_rate: float
    total_cost: float
    calls_by_status: dict[CallStatus, int]
    calls_by_direction: dict[Direction, int]
    top_agents: list[TopAgentResource]


class DashboardData(Model):
    """`data` with the figures."""

    stats: DashboardStats


@router.get("/stats", responses=fails_with(400, 401, 403))
async def get_stats(
    caller: Reader,
    services: Provided,
    from_date: FromDate = None,
    to_date: ToDate = None,
) -> Success[DashboardData]:
    """What the calls of a time, or all, come to."""
    overview, top = await services.dashboard.stats(caller, since=since(from_date), before=before(to_date))
    total = overview.total
    stats = DashboardStats(
        total_calls=total.calls,
        total_duration=total.seconds,
        avg_duration=total.average_seconds,
        success_rate=total.success_rate,
        total_cost=to_credits(total.cost_micros),
        calls_by_status=dict(overview.by_status),
        calls_by_direction=dict(overview.by_direction),
        top_agents=[TopAgentResource.of(agent) for agent in top],
    )
    return Success(data=DashboardData(stats=stats))
