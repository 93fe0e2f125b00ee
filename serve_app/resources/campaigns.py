"""/campaigns: many people to be called, once each or until they answer, at the right time of their day."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field

from models.campaign import Campaign, CampaignCounters, CampaignRules, CampaignStatus, Change
from models.document import Id, Model, Time
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.idempotency import Idempotent
from serve_app.resources.call_log import ListedCall
from serve_app.resources.calls import AgentId, CallsData, PhoneNumber
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.campaigns import PAUSE, RESUME, START, STOP, Decision, Plan
from services.principal import Principal

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

Reader = Annotated[Principal, Depends(allowed("campaigns:read"))]
Writer = Annotated[Principal, Depends(allowed("campaigns:write"))]

Name = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=1000)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
RULES: dict[str, Any] = {
    "timeZone": "Asia/Kolkata",
    "startsOn": "2030-02-05",
    "endsOn": "2030-02-28",
    "windows": [{"days": ["monday", "tuesday", "wednesday"], "opens": "09:30", "closes": "18:00"}],
    "holidays": ["2030-02-14"],
    "pacing": {"maxConcurrency": 8, "callsPerMinute": 60},
    "retries": {"maxAttempts": 3, "noAnswer": {"maxAttempts": 2, "delayS": 3600}},
}


class NewCampaign(Model):
    """A draft. Its contacts come next; nobody is called before it is started.

    `rules` say when people may be called, by the clocks on their own walls, how fast, and how often. What they leave
    out has its default: office hours on weekdays, five calls at a time, up to three attempts, consent required.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "February reminders",
                    "description": "Payments due in March",
                    "agentId": "64f8a1b2c3d4e5f6a7b8c9d1",
                    "fromPhone": "+919876543210",
                    "rules": RULES,
                }
            ]
        }
    )
    name: Name
    description: Description = ""
    agent_id: AgentId
    from_phone: PhoneNumber
    rules: CampaignRules = CampaignRules()


class UpdateCampaign(Model):
    """What to change; everything else stays, inside `rules` too. Agent and phone can be changed in a draft only."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rules": {"pacing": {"maxConcurrency": 10}, "endsOn": None}}]}
    )
    name: Name | None = None
    description: Description | None = None
    agent_id: AgentId | None = None
    from_phone: PhoneNumber | None = None
    rules: dict[str, Any] | None = None

    def changes(self) -> dict[str, Any]:
        """What was sent; null means nothing here."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}


class Why(Model):
    """Why; shown with the campaign's status."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The offer is sold out"}]})
    reason: Reason | None = None


class CampaignResource(Model):
    """A campaign. `counters`: contacts by state, those done by how they ended, attempts by what they came to.

    `history`, its last changes of status, only where one campaign is asked for.
    """

    id: Annotated[str, Field(alias="_id")]
    user_id: str
    name: str
    description: str
    status: CampaignStatus
    status_reason: Maybe[str] = None
    agent_id: str
    from_phone: str
    rules: CampaignRules
    counters: CampaignCounters
    history: Maybe[list[Change]] = None
    started_at: Maybe[Time] = None
    ended_at: Maybe[Time] = None
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, campaign: Campaign, *, is_whole: bool = False) -> Self:
        """As the API shows it."""
        return cls(
            id=campaign.id,
            user_id=campaign.user_id,
            name=campaign.name,
            description=campaign.description,
            status=campaign.status,
            status_reason=campaign.status_reason,
            agent_id=campaign.agent_id,
            from_phone=campaign.from_phone,
            rules=campaign.rules,
            counters=campaign.counters,
            history=list(campaign.changes) if is_whole else None,
            started_at=campaign.started_at,
            ended_at=campaign.ended_at,
            created_at=campaign.created_at,
            updated_at=campaign.updated_at,
        )


class CampaignData(Model):
    """`data` with one campaign."""

    campaign: CampaignResource

    @classmethod
    def of(cls, campaign: Campaign) -> Success[Self]:
        """The whole answer."""
        return Success(data=cls(campaign=CampaignResource.of(campaign, is_whole=True)))


class CampaignsData(Model):
    """`data` with a page of campaigns."""

    campaigns: list[CampaignResource]
    pagination: Pagination


@router.post(
    "",
    status_code=201,
    response_model=Success[CampaignData],
    responses=fails_with(400, 401, 403, 404, 409, 422),
)
async def create_campaign(
    body: NewCampaign, caller: Writer, services: Provided, once: Idempotent, now: Now
) -> Response:
    """Draft a campaign. Its calls are placed for whoever asks now."""

    async def make(campaign_id: Id) -> Success[CampaignData]:
        plan = Plan(**{name: getattr(body, name) for name in NewCampaign.model_fields})
        return CampaignData.of(await services.campaigns.create(caller, plan, campaign_id=campaign_id, now=now))

    return await once(make)


@router.get("", responses=fails_with(400, 401, 403))
async def list_campaigns(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    status: CampaignStatus | None = None,
    agent_id: Annotated[str | None, Query(alias="agentId", max_length=100)] = None,
) -> Success[CampaignsData]:
    """The organization's campaigns, newest first."""
    found = await services.campaigns.page(caller, status=status, agent_id=agent_id, page=page, limit=limit)
    campaigns = [CampaignResource.of(campaign) for campaign in found.items]
    return Success(data=CampaignsData(campaigns=campaigns, pagination=Pagination.of(found)))


@router.get("/{campaign_id}", responses=fails_with(401, 403, 404))
async def get_campaign(campaign_id: str, caller: Reader, services: Provided) -> Success[CampaignData]:
    """A campaign, and how far it is."""
    return CampaignData.of(await services.campaigns.counted(caller, campaign_id))


@router.get("/{campaign_id}/calls", responses=fails_with(400, 401, 403, 404))
async def list_campaign_calls(
    campaign_id: str, caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[CallsData]:
    """The calls of a campaign, newest first."""
    campaign = await services.campaigns.get(caller, campaign_id)
    found = await services.calls.page(caller, campaign_id=campaign.id, page=page, limit=limit)
    calls = [ListedCall.of(call, services.recordings.url(call)) for call in found.items]
    return Success(data=CallsData(calls=calls, pagination=Pagination.of(found)))


@router.put("/{campaign_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_campaign(
    campaign_id: str, body: UpdateCampaign, caller: Writer, services: Provided, now: Now
) -> Success[CampaignData]:
    """Change a campaign that is not over. One that runs follows its new rules within seconds."""
    return CampaignData.of(await services.campaigns.update(caller, campaign_id, body.changes(), now))


@router.delete("/{campaign_id}", responses=fails_with(401, 403, 404, 409))
async def delete_campaign(campaign_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Delete a draft, or a campaign that is over. Its calls stay in the log."""
    await services.campaigns.delete(caller, campaign_id, now)
    return Done(message="Campaign deleted successfully")


@router.post("/{campaign_id}/start", responses=fails_with(400, 401, 403, 404, 409))
async def start_campaign(
    campaign_id: str, caller: Writer, services: Provided, now: Now, body: Why | None = None
) -> Success[CampaignData]:
    """Start a draft. It is `scheduled` until its first day has come, and `running` from then on, which may be at once.

    Refused, naming everything that is wrong, unless agent and phone can call, there are contacts, and each of them has
    every variable that the agent's prompt, first words, message after the beep and text message use.
    """
    return await _decided(START, campaign_id, caller, services, now, body)


@router.post("/{campaign_id}/pause", responses=fails_with(400, 401, 403, 404, 409))
async def pause_campaign(
    campaign_id: str, caller: Writer, services: Provided, now: Now, body: Why | None = None
) -> Success[CampaignData]:
    """Have a running campaign dial nobody. Calls under way go on."""
    return await _decided(PAUSE, campaign_id, caller, services, now, body)


@router.post("/{campaign_id}/resume", responses=fails_with(400, 401, 403, 404, 409))
async def resume_campaign(
    campaign_id: str, caller: Writer, services: Provided, now: Now, body: Why | None = None
) -> Success[CampaignData]:
    """Let a paused campaign go on, whoever paused it; checked as at its start."""
    return await _decided(RESUME, campaign_id, caller, services, now, body)


@router.post("/{campaign_id}/stop", responses=fails_with(400, 401, 403, 404, 409))
async def stop_campaign(
    campaign_id: str, caller: Writer, services: Provided, now: Now, body: Why | None = None
) -> Success[CampaignData]:
    """End a campaign for good. Calls under way go on; nobody else is called."""
    return await _decided(STOP, campaign_id, caller, services, now, body)


async def _decided(
    decision: Decision, campaign_id: str, caller: Principal, services: Provided, now: Now, body: Why | None
) -> Success[CampaignData]:
    reason = None if body is None else body.reason
    return CampaignData.of(await services.campaigns.decide(caller, campaign_id, decision, now, reason=reason))
