"""Campaigns as tenants see them: made, listed, changed, started, paused, stopped. Whom they call when is their actors'.

What somebody decides is written first; then the campaign's actor is told, and whoever watches. An actor that cannot be
told finds it in the store within seconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from models.campaign import Campaign, CampaignCounters, CampaignRules, CampaignStatus
from models.document import Id
from models.errors import Conflict, FieldError, Invalid
from services.agent_merge import overlay
from services.audit import AuditService
from services.campaign_checks import CampaignChecks
from services.campaign_events import PROGRESS, progress
from services.control import CampaignActors
from services.numbers import e164
from services.principal import Principal
from stores.campaigns import OPEN, Campaigns
from stores.events import Events
from stores.repositories import Repositories
from stores.repository import Page

DRAFT, SCHEDULED, RUNNING, PAUSED, STOPPED = (
    CampaignStatus.DRAFT,
    CampaignStatus.SCHEDULED,
    CampaignStatus.RUNNING,
    CampaignStatus.PAUSED,
    CampaignStatus.STOPPED,
)
WHO = frozenset({"agent_id", "from_phone"})
"""Who calls: settled once a campaign has begun."""
TRIES = 5
"""A decision that meets changes by others is tried anew."""
COUNTED = 20_000
"""Contacts that are counted while somebody waits; of larger campaigns the counters say how many there were last."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign as it was asked for."""

    name: str
    agent_id: str
    from_phone: str
    description: str = ""
    rules: CampaignRules = field(default_factory=CampaignRules)


@dataclass(frozen=True, slots=True)
class Decision:
    """A change of status that a user may make: `verb` it is called by, from which statuses, to which."""

    verb: str
    done: str
    since: Collection[CampaignStatus]
    status: CampaignStatus
    is_checked: bool = False
    """Only a campaign that could call somebody."""


START = Decision("start", "started", (DRAFT,), SCHEDULED, is_checked=True)
PAUSE = Decision("pause", "paused", (RUNNING,), PAUSED)
RESUME = Decision("resume", "resumed", (PAUSED,), RUNNING, is_checked=True)
STOP = Decision("stop", "stopped", (SCHEDULED, RUNNING, PAUSED), STOPPED)


class LeftToTheRounds:
    """Tells no actor: the rounds of the edge's replicas find what is to be seen to."""

    async def see_to(self, campaign_id: Id) -> None:
        """Nothing."""


class CampaignService:
    """The rules around campaigns. Every method raises NotFound for a campaign of another organization."""

    def __init__(
        self,
        repositories: Repositories,
        audit: AuditService,
        *,
        checks: CampaignChecks,
        events: Events,
        actors: CampaignActors,
    ) -> None:
        self._stores = repositories
        self._campaigns: Campaigns = repositories.campaigns
        self._audit = audit
        self._checks = checks
        self._events = events
        self._actors = actors

    # --- reading --------------------------------------------------------------------------------------
    async def get(self, principal: Principal, campaign_id: str) -> Campaign:
        """One campaign, with the counters it was last stored with."""
        return await self._campaigns.get(principal.organization_id, campaign_id)

    async def counted(self, principal: Principal, campaign_id: str) -> Campaign:
        """One campaign with counters as of now.

        An actor keeps them up to a second or two; without one the contacts are counted, unless they are too many.
        """
        campaign = await self.get(principal, campaign_id)
        if campaign.needs_runner or sum(campaign.counters.contacts.values()) > COUNTED:
            return campaign
        return campaign.model_copy(update={"counters": await self._counters(campaign)})

    async def page(
        self, principal: Principal, *, status: CampaignStatus | None, agent_id: str | None, page: int, limit: int
    ) -> Page[Campaign]:
        """The organization's campaigns that match, newest first."""
        return await self._campaigns.search(
            principal.organization_id, status=status, agent_id=agent_id, page=page, limit=limit
        )

    # --- drafting -------------------------------------------------------------------------------------
    async def create(self, principal: Principal, plan: Plan, *, campaign_id: Id, now: datetime) -> Campaign:
        """A new draft that acts for the user; the same id again gives the campaign that was made.

        Raises Invalid, and NotFound for the phone and the agent.
        """
        if (known := await self._campaigns.by_id(campaign_id)) is not None:
            return await self.get(principal, known.id)
        who = await self._checked(principal, {"agent_id": plan.agent_id, "from_phone": plan.from_phone})
        fields = {"name": plan.name, "description": plan.description, "rules": plan.rules, **who}
        made = Campaign(id=campaign_id, **principal.signature(now), user_id=principal.user_id, **fields)
        await self._campaigns.insert(made)
        await self._audit.record(principal, "create", "campaign", made.id, now)
        return made

    async def update(
        self, principal: Principal, campaign_id: str, changes: Mapping[str, Any], now: datetime
    ) -> Campaign:
        """Change what is given, by the names in `Plan`, and keep the rest; `rules` may be a part of the rules.

        Who calls can be changed in a draft only, the rest until the campaign is over. Raises Invalid, NotFound for the
        phone and the agent, and Conflict.
        """
        since = (DRAFT,) if WHO & changes.keys() else OPEN
        fields = {name: value for name, value in changes.items() if name in ("name", "description")}
        who = await self._checked(principal, {name: value for name, value in changes.items() if name in WHO})
        fields |= {to_camel(name): value for name, value in who.items()}
        for _ in range(TRIES):
            seen = await self.get(principal, campaign_id)
            if seen.status not in since:
                raise _refusal(seen, "changed" if seen.status.is_final else "given to another agent or phone")
            changed = await self._changed(principal, seen, fields | _merged(seen, changes), now, since)
            if changed is not None:
                await self._audit.record(principal, "update", "campaign", changed.id, now, fields=sorted(changes))
                await self._tell(changed, now)
                return changed
        raise Conflict("The campaign has changed meanwhile, try again")

    async def delete(self, principal: Principal, campaign_id: str, now: datetime) -> None:
        """Remove a draft, or a campaign that is over; its calls stay in the log. Raises Conflict."""
        seen = await self.get(principal, campaign_id)
        if not await self._campaigns.discard(principal.organization_id, campaign_id, now, principal.user_id):
            is_unfinished = seen.status.is_final
            raise Conflict("The campaign's last calls go on, try again") if is_unfinished else _refusal(seen, "deleted")
        await self._audit.record(principal, "delete", "campaign", seen.id, now)

    # --- deciding -------------------------------------------------------------------------------------
    async def decide(
        self, principal: Principal, campaign_id: str, decision: Decision, now: datetime, *, reason: str | None = None
    ) -> Campaign:
        """Start, pause, resume or stop. Raises Conflict in another status, and Invalid when it could call nobody."""
        campaign = await self.get(principal, campaign_id)
        if decision.is_checked and campaign.status in decision.since:
            await self._checks.require_ready(campaign, now)
        for _ in range(TRIES):
            if campaign.status not in decision.since:
                raise _refusal(campaign, decision.done)
            moved = await self._campaigns.become(
                campaign, decision.status, now, since=decision.since, reason=reason, by=principal.user_id
            )
            if moved is not None:
                break
            campaign = await self.get(principal, campaign_id)
        else:
            raise Conflict("The campaign has changed meanwhile, try again")
        await self._audit.record(principal, decision.verb, "campaign", moved.id, now)
        await self._tell(moved, now)
        return moved

    async def has_more(self, campaign: Campaign, now: datetime) -> Campaign:
        """It has got contacts: count them, and have them called if it is their time; the campaign after that."""
        await self._campaigns.save_counters(campaign.id, await self._counters(campaign), now)
        await self._campaigns.stir(campaign.id, now)
        changed = await self._campaigns.get(campaign.organization_id, campaign.id)
        await self._tell(changed, now)
        return changed

    # --- inside -----------------------------------------------------------------------------------------
    async def _changed(
        self,
        principal: Principal,
        seen: Campaign,
        fields: Mapping[str, Any],
        now: datetime,
        since: Collection[CampaignStatus],
    ) -> Campaign | None:
        return await self._campaigns.change_rules(
            principal.organization_id, seen.id, fields, now, principal.user_id, since=since, news=seen.news
        )

    async def _tell(self, campaign: Campaign, now: datetime) -> None:
        if campaign.needs_runner:
            await self._actors.see_to(campaign.id)
        await self._events.publish_to_campaign(campaign.id, PROGRESS, progress(campaign, now))

    async def _counters(self, campaign: Campaign) -> CampaignCounters:
        counts = await self._stores.contacts.counts(campaign.id)
        return CampaignCounters(
            contacts=dict(counts.states), finals=dict(counts.finals), attempts=dict(counts.outcomes)
        )

    async def _checked(self, principal: Principal, who: Mapping[str, str]) -> dict[str, str]:
        """Who calls, as it is kept; raises Invalid and NotFound."""
        checked = dict(who)
        if "from_phone" in who:
            checked["from_phone"] = e164(who["from_phone"], "fromPhone")
            await self._stores.phones.by_number(principal.organization_id, checked["from_phone"])
        if "agent_id" in who:
            await self._stores.agents.get(principal.organization_id, who["agent_id"])
        return checked


def _refusal(campaign: Campaign, done: str) -> Conflict:
    return Conflict(f"A campaign that is {campaign.status} cannot be {done}")


def _merged(seen: Campaign, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The rules with a part of them, in the API's names, changed; raises Invalid.

    Stored whole: of two changes that make sense each by itself, parts of both together might not.
    """
    if "rules" not in changes:
        return {}
    try:
        merged = CampaignRules.model_validate(overlay(seen.rules.model_dump(by_alias=True), changes["rules"]))
    except ValidationError as error:
        fields = [FieldError(_place(each["loc"]), each["msg"].removeprefix("Value error, ")) for each in error.errors()]
        raise Invalid(fields=fields) from error
    return {"rules": merged.model_dump(by_alias=True)}


def _place(inside: tuple[int | str, ...]) -> str:
    return ".".join(("rules", *map(str, inside)))
