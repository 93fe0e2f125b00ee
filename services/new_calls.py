"""Calls before they exist: over which phone, with which agent, in which words. Nothing is stored or reserved yet."""

import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from models.agent import Agent
from models.call import Call, CampaignCall, Direction, SessionId, Versions
from models.document import Id, new_id
from models.errors import DoNotCall, FieldError, Invalid, Unavailable
from models.phone import Phone
from providers.roles import IncomingCall
from services.agent_versions import AgentVersions
from services.call_texts import worded
from services.numbers import e164
from services.principal import Principal
from stores.repositories import Repositories


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call somebody wants made; numbers as they were written, `agent_id` as it was sent."""

    from_phone: str
    to_phone: str
    agent_id: str
    metadata: dict[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] | None = None
    campaign: CampaignCall | None = None


class NewCalls:
    """Makes them. Every method raises NotFound for what another organization has, and Invalid for what is inactive."""

    def __init__(self, repositories: Repositories) -> None:
        self._stores = repositories
        self._versions = AgentVersions(repositories)

    async def outbound(
        self, principal: Principal, wanted: Wanted, now: datetime, call_id: Id | None = None
    ) -> tuple[Call, Phone]:
        """The call, and our phone that it is made over.

        Raises Invalid for what is no number and for texts with variables nobody knows, DoNotCall, and Unavailable when
        nobody can say whether the number may be called.
        """
        to_number = e164(wanted.to_phone, "toPhone")
        from_number = e164(wanted.from_phone, "fromPhone")
        phone = await self._stores.phones.by_number(principal.organization_id, from_number)
        agent = await self._stores.agents.get(principal.organization_id, wanted.agent_id)
        if phone.status != "active":
            raise Invalid(fields=[FieldError("fromPhone", "The phone is inactive")])
        call = await self._with_versions(_drafted(phone, agent, "outbound", phone.number, to_number, now), agent)
        call = _with_variables(call, wanted)
        await self._check_list(principal.organization_id, to_number)
        who = {"user_id": principal.user_id, "created_by": principal.user_id}
        return call.model_copy(update={"id": call_id or call.id, "metadata": wanted.metadata, **who}), phone

    async def inbound(self, phone: Phone, agent_id: Id, incoming: IncomingCall, now: datetime) -> Call:
        """The call that rings our phone."""
        agent = await self._stores.agents.get(phone.organization_id, agent_id)
        drafted = _drafted(phone, agent, "inbound", incoming.from_number, phone.number, now)
        call = await self._with_versions(drafted, agent)
        return call.model_copy(update={"carrier_call_id": incoming.carrier_call_id})

    async def _with_versions(self, call: Call, agent: Agent) -> Call:
        """The call with what its agent points at in the configuration, and the exact versions of that and the agent."""
        config, named = await self._versions.resolve(call.organization_id, call.agent_config)
        versions = (named or Versions()).model_copy(update={"agent_version_id": agent.version_id})
        return call.model_copy(update={"agent_config": config, "versions": versions})

    async def _check_list(self, organization_id: Id, number: str) -> None:
        """Raises DoNotCall, and Unavailable: without the list nobody is called."""
        try:
            blocked = await self._stores.dnc.blocked(organization_id, [number])
        except PyMongoError as error:
            raise Unavailable("The do-not-call list cannot be read now, try again") from error
        if blocked:
            raise DoNotCall


def _drafted(phone: Phone, agent: Agent, direction: Direction, from_phone: str, to_phone: str, now: datetime) -> Call:
    """A call with its own copy of the agent's configuration, so that an edit never changes a call under way."""
    if not agent.is_active:
        raise Invalid(fields=[FieldError("agentId", "The agent is inactive")])
    return Call(
        id=new_id(),
        created_at=now,
        updated_at=now,
        organization_id=phone.organization_id,
        user_id=phone.user_id,
        session_id=SessionId(f"sess_{random.token_urlsafe(16)}"),
        agent_id=agent.id,
        agent_name=agent.name,
        agent_config=agent.config,
        phone_id=phone.id,
        direction=direction,
        from_phone=from_phone,
        to_phone=to_phone,
    )


def _with_variables(call: Call, wanted: Wanted) -> Call:
    """The call with its variables, in the texts too. A single call that brings none keeps its texts as they are: their
    braces may be meant as such.
    """
    if wanted.campaign is None and not wanted.variables:
        return call
    variables = dict(wanted.variables or {})
    config = worded(call.agent_config, variables)
    return call.model_copy(update={"agent_config": config, "variables": variables, "campaign": wanted.campaign})
