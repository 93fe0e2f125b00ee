"""Phone numbers and the carrier accounts behind them."""

from dataclasses import dataclass
from datetime import datetime

from models.document import new_id
from models.phone import Phone, PhoneStatus
from providers.roles import CarrierCredentials
from services import carrier_accounts
from services.call_addresses import CallAddresses
from services.numbers import e164
from services.principal import Principal
from stores.repositories import Repositories
from stores.repository import Page
from stores.secrets import Secrets


@dataclass(frozen=True, slots=True)
class ListedPhone:
    """A phone as people see it. `incoming_url` is where its carrier must ask what to do with a call."""

    phone: Phone
    agent_name: str | None
    incoming_url: str


class PhoneService:
    """The rules around phones. Every method raises NotFound for a phone of another organization."""

    def __init__(self, repositories: Repositories, *, secrets: Secrets, addresses: CallAddresses) -> None:
        self._stores = repositories
        self._phones = repositories.phones
        self._secrets = secrets
        self._addresses = addresses

    async def import_number(
        self, principal: Principal, *, number: str, country: str, credentials: CarrierCredentials, now: datetime
    ) -> ListedPhone:
        """Take over a number of the user's carrier account; raises Invalid, and Conflict when anybody has it."""
        phone = Phone(
            id=new_id(),
            created_at=now,
            updated_at=now,
            organization_id=principal.organization_id,
            user_id=principal.user_id,
            number=e164(number, "number"),
            country=country,
            carrier=carrier_accounts.sealed(credentials, self._secrets),
        )
        return self._listed(await self._phones.insert(phone), None)

    async def page(
        self, principal: Principal, *, status: PhoneStatus | None, page: int, limit: int
    ) -> Page[ListedPhone]:
        """The organization's phones, newest first."""
        found = await self._phones.search(principal.organization_id, status, page=page, limit=limit)
        wanted = {phone.agent_id for phone in found.items if phone.agent_id is not None}
        names = await self._stores.agents.names(principal.organization_id, wanted)
        listed = [self._listed(phone, names.get(phone.agent_id) if phone.agent_id else None) for phone in found.items]
        return Page(items=listed, total=found.total, page=page, limit=limit)

    async def assign_agent(self, principal: Principal, phone_id: str, agent_id: str, now: datetime) -> ListedPhone:
        """Have this agent answer the phone; raises NotFound for either."""
        agent = await self._stores.agents.get(principal.organization_id, agent_id)
        phone = await self._phones.change(principal.organization_id, phone_id, {"agentId": agent.id}, now)
        return self._listed(phone, agent.name)

    async def tag(self, principal: Principal, phone_id: str, tags: list[str], now: datetime) -> ListedPhone:
        """Replace the tags."""
        phone = await self._phones.change(principal.organization_id, phone_id, {"tags": tags}, now)
        return self._listed(phone, None)

    async def delete(self, principal: Principal, phone_id: str) -> None:
        """Give the number up; its calls stay in the log."""
        await self._phones.delete(principal.organization_id, phone_id)

    def _listed(self, phone: Phone, agent_name: str | None) -> ListedPhone:
        return ListedPhone(phone, agent_name, self._addresses.incoming(phone.id))
