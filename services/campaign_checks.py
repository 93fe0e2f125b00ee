"""What must hold before a campaign may call anybody: who calls, whom, until when, and with which words."""

from collections.abc import Sequence
from datetime import datetime

from models.agent import Agent, AgentConfig
from models.campaign import Campaign, CampaignRules, CampaignStatus, zone_of
from models.document import Id
from models.errors import FieldError, Invalid, NotFound
from services.agent_versions import AgentVersions
from services.call_texts import variables_of
from services.contact_import.limits import COLUMNS
from services.templates import variables
from stores.contact_gaps import ContactGaps, Gap
from stores.repositories import Repositories

GONE = "There is no such {noun} any more"


class CampaignChecks:
    """Looks at what a campaign points at, as it is now."""

    def __init__(self, repositories: Repositories, gaps: ContactGaps) -> None:
        self._stores = repositories
        self._versions = AgentVersions(repositories)
        self._gaps = gaps

    async def require_ready(self, campaign: Campaign, now: datetime) -> None:
        """Raises Invalid with everything that keeps the campaign from calling its contacts.

        A campaign that has begun may have nobody left to call. Looks at every contact, at some microseconds for each.
        """
        problems = [*_over(campaign.rules, now), *await self._phone(campaign), *await self._agent(campaign)]
        if problems:
            raise Invalid(fields=problems)

    async def needed(self, organization_id: Id, agent_id: Id) -> tuple[str, ...]:
        """The variables that calls with this agent use, and messages after them; none for an agent that is gone."""
        try:
            agent = await self._stores.agents.get(organization_id, agent_id)
        except NotFound:
            return ()
        return await self._needed_by(agent)

    async def _phone(self, campaign: Campaign) -> list[FieldError]:
        try:
            phone = await self._stores.phones.by_number(campaign.organization_id, campaign.from_phone)
        except NotFound:
            return [FieldError("fromPhone", GONE.format(noun="phone"))]
        return [] if phone.status == "active" else [FieldError("fromPhone", "The phone is inactive")]

    async def _agent(self, campaign: Campaign) -> list[FieldError]:
        try:
            agent = await self._stores.agents.get(campaign.organization_id, campaign.agent_id)
        except NotFound:
            return [FieldError("agentId", GONE.format(noun="agent"))]
        if not agent.is_active:
            return [FieldError("agentId", "The agent is inactive")]
        names = await self._needed_by(agent)
        if len(names) > COLUMNS:
            return [FieldError("agentId", f"The agent's texts use more than {COLUMNS} variables")]
        found = await self._gaps.of_campaign(campaign.id, names)
        if not found.contacts and campaign.status is CampaignStatus.DRAFT:
            return [FieldError("contacts", "The campaign has no contacts")]
        return [_lacking(gap, found.contacts) for gap in found.gaps]

    async def _needed_by(self, agent: Agent) -> tuple[str, ...]:
        config, versions = await self._versions.resolve(agent.organization_id, agent.config)
        template_id = None if versions is None else versions.sms_template_id
        message = await self._message(agent.organization_id, config, template_id)
        return tuple(dict.fromkeys((*variables_of(config), *variables(message))))

    async def _message(self, organization_id: Id, config: AgentConfig, version_id: Id | None) -> str:
        """The text message that may follow a call; nothing when none may."""
        if version_id is None or not config.sms_after.outcomes:
            return ""
        return (await self._stores.sms_templates.find(organization_id, version_id)).version.body.content


def _over(rules: CampaignRules, now: datetime) -> Sequence[FieldError]:
    zone = zone_of(rules.time_zone)
    if rules.ends_on is None or zone is None or now.astimezone(zone).date() <= rules.ends_on:
        return []
    return [FieldError("rules.endsOn", "The campaign's last day is over")]


def _lacking(gap: Gap, contacts: int) -> FieldError:
    lines = ", ".join(map(str, gap.lines))
    where = f", such as in line {lines}" if lines else ""
    return FieldError(f"variables.{gap.variable}", f"has no value in {gap.contacts} of {contacts} contacts{where}")
