"""Phone numbers and the carrier accounts behind them."""

import logging
from dataclasses import dataclass
from datetime import datetime

from models.document import Id, new_id
from models.errors import FieldError, Invalid, ProviderError
from models.phone import Phone, PhoneStatus
from providers.roles import CarrierCredentials, Telephony
from services import carrier_accounts
from services.audit import AuditService
from services.call_addresses import CallAddresses
from services.numbers import e164
from services.principal import Principal
from stores.repositories import Repositories
from stores.repository import Page, Where
from stores.secrets import Secrets

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListedPhone:
    """A phone as people see it. `incoming_url` is where its carrier must ask what to do with a call, `connect_url`
    whom to transfer the caller to after the agent.

    Whoever has them can announce calls, so only those who may change phones see them.
    """

    phone: Phone
    agent_name: str | None
    incoming_url: str | None
    connect_url: str | None


class PhoneService:
    """The rules around phones. Every method raises NotFound for a phone of another organization."""

    def __init__(
        self,
        repositories: Repositories,
        *,
        secrets: Secrets,
        addresses: CallAddresses,
        telephony: Telephony,
        audit: AuditService,
    ) -> None:
        self._stores = repositories
        self._phones = repositories.phones
        self._secrets = secrets
        self._addresses = addresses
        self._telephony = telephony
        self._audit = audit

    async def import_number(
        self, principal: Principal, *, number: str, country: str, credentials: CarrierCredentials, now: datetime
    ) -> ListedPhone:
        """Take over a number of the user's carrier account.

        Raises Invalid for what is no number and for credentials that the carrier refuses, and Conflict when anybody
        has the number.
        """
        wanted = e164(number, "number")
        await self._phones.require_free(wanted)
        await self._check_account(credentials)
        phone = Phone(
            id=new_id(),
            **principal.signature(now),
            user_id=principal.user_id,
            number=wanted,
            country=country,
            carrier=carrier_accounts.sealed(credentials, self._secrets),
        )
        await self._phones.insert(phone)
        await self._audit.record(principal, "import", "phone", phone.id, now, country=country)
        return self._listed(principal, phone, None)

    async def page(
        self, principal: Principal, *, status: PhoneStatus | None, page: int, limit: int
    ) -> Page[ListedPhone]:
        """The organization's phones, newest first."""
        found = await self._phones.search(principal.organization_id, status, page=page, limit=limit)
        names = await self._agent_names(principal.organization_id, *found.items)
        listed = [self._listed(principal, phone, names.get(phone.agent_id)) for phone in found.items]
        return Page(items=listed, total=found.total, page=page, limit=limit)

    async def assign_agent(
        self, principal: Principal, phone_id: str, agent_id: str | None, now: datetime
    ) -> ListedPhone:
        """Have this agent answer the phone, or nobody; raises NotFound for either."""
        agent = None if agent_id is None else await self._stores.agents.get(principal.organization_id, agent_id)
        assigned = None if agent is None else agent.id
        phone = await self._change(principal, phone_id, {"agentId": assigned}, now)
        await self._audit.record(principal, "assign-agent", "phone", phone.id, now, agentId=assigned)
        return self._listed(principal, phone, None if agent is None else agent.name)

    async def tag(self, principal: Principal, phone_id: str, tags: list[str], now: datetime) -> ListedPhone:
        """Replace the tags."""
        phone = await self._change(principal, phone_id, {"tags": tags}, now)
        await self._audit.record(principal, "tag", "phone", phone.id, now, tags=tags)
        names = await self._agent_names(principal.organization_id, phone)
        return self._listed(principal, phone, names.get(phone.agent_id))

    async def delete(self, principal: Principal, phone_id: str, now: datetime) -> None:
        """Give the number up, so that anybody may import it again; its calls stay in the log."""
        await self._phones.delete(principal.organization_id, phone_id, now, principal.user_id)
        await self._audit.record(principal, "delete", "phone", Id(phone_id), now)

    async def _change(self, principal: Principal, phone_id: str, fields: Where, now: datetime) -> Phone:
        return await self._phones.change(principal.organization_id, phone_id, fields, now, principal.user_id)

    async def _check_account(self, credentials: CarrierCredentials) -> None:
        """Raises Invalid when the carrier refuses the account; its outage is no reason to refuse the import."""
        try:
            await self._telephony.check_account(credentials)
        except Invalid as error:
            raise Invalid(fields=[FieldError("exotelConfig", error.message)]) from error
        except ProviderError as error:
            log.warning("a carrier account is imported unchecked", extra={"provider": error.provider})

    async def _agent_names(self, organization_id: Id, *phones: Phone) -> dict[Id | None, str]:
        wanted = {phone.agent_id for phone in phones if phone.agent_id is not None}
        return dict((await self._stores.agents.names(organization_id, wanted)).items()) if wanted else {}

    def _listed(self, principal: Principal, phone: Phone, agent_name: str | None) -> ListedPhone:
        if "phones:write" not in principal.permissions:
            return ListedPhone(phone, agent_name, None, None)
        return ListedPhone(phone, agent_name, self._addresses.incoming(phone.id), self._addresses.connect(phone.id))
