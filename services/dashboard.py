"""What an organization's calls come to, for its dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.document import Id
from services.principal import Principal
from stores.figures import Figures, Overview
from stores.repositories import Repositories


@dataclass(frozen=True, slots=True)
class TopAgent:
    """An agent among those with most calls."""

    agent_id: Id
    name: str
    figures: Figures


class DashboardService:
    """Reads only."""

    def __init__(self, repositories: Repositories) -> None:
        self._agents = repositories.agents
        self._calls = repositories.calls

    async def stats(
        self, principal: Principal, *, since: datetime | None, before: datetime | None
    ) -> tuple[Overview, Sequence[TopAgent]]:
        """The figures of the calls made in [since, before), and the agents with most of them."""
        organization_id = principal.organization_id
        overview = await self._calls.overview(organization_id, since=since, before=before)
        names = await self._agents.names(organization_id, (agent_id for agent_id, _ in overview.top_agents))
        top = []
        for agent_id, figures in overview.top_agents:
            # A deleted agent's name is where its calls keep it.
            name = names.get(agent_id) or await self._calls.agent_name(organization_id, agent_id)
            top.append(TopAgent(agent_id, name, figures))
        return overview, top
