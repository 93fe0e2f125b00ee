"""Services over the real database and Redis of the session, between an in-process carrier and in-process actors."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from models.call import Call
from models.document import Id, new_id
from models.organization import Organization
from models.settings import Settings
from providers.roles import CarrierCredentials
from services.container import Services, build_services
from services.principal import Principal
from stores.events import Events
from stores.limits import Limits
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.campaigns import CampaignHands
from tests.documents import NOW, a_phone, an_agent
from tests.money import a_writer, fund, state
from tests.switchboard import Actors, Carrier

TO = "+919123456789"
CREDENTIALS = CarrierCredentials(sid="acme", subdomain="api.exotel.com", api_key="EXkey", api_token="secret-token")


@dataclass
class House:
    """Everything a test may touch."""

    settings: Settings
    services: Services
    stores: Repositories
    carrier: Carrier
    actors: Actors
    events: Events
    principal: Principal
    told: asyncio.Queue[tuple[str, str, Any]]
    campaign_hands: CampaignHands = field(default_factory=CampaignHands)

    async def tenant(self, balance_micros: int = 1_000_000) -> Principal:
        """A fresh organization and its user."""
        organization = Organization(id=new_id(), created_at=NOW, updated_at=NOW)
        await self.stores.organizations.insert(organization)
        await fund(self.stores, organization.id, balance_micros)
        return Principal(user_id=new_id(), organization_id=organization.id, role="owner")

    async def line(self, principal: Principal) -> tuple[str, Id]:
        """A phone whose agent answers it: its number and its id."""
        carrier = self.services.phones
        agent = await self.stores.agents.insert(an_agent(principal.organization_id))
        phone = a_phone(principal.organization_id)
        imported = await carrier.import_number(
            principal, number=phone.number, country="IN", credentials=CREDENTIALS, now=NOW
        )
        await carrier.assign_agent(principal, imported.phone.id, agent.id, NOW)
        return phone.number, imported.phone.id

    async def balance(self) -> int:
        """What the tenant has, whether set aside or not."""
        return (await state(self.stores, self.principal.organization_id))[0]

    async def held(self) -> int:
        """What of it is set aside."""
        return (await state(self.stores, self.principal.organization_id))[1]

    async def heard(self, count: int) -> list[tuple[str, Any]]:
        """The next `count` events and their payloads."""
        async with asyncio.timeout(5):
            return [(await self.told.get())[1:] for _ in range(count)]


async def place(house: House, **fields: object) -> Call:
    """An outbound call of the tenant's; `fields` replace its own."""
    number, _ = await house.line(house.principal)
    agent = await house.stores.agents.insert(an_agent(house.principal.organization_id))
    wanted = {"from_phone": number, "to_phone": TO, "agent_id": agent.id, "metadata": {"orderId": "ORD-1"}, "now": NOW}
    return await house.services.calls.place_outbound(house.principal, **(wanted | fields))  # type: ignore[arg-type]


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    """The services of a fresh tenant, and everything they tell over Redis."""
    carrier, actors, told = Carrier(), Actors(), asyncio.Queue[tuple[str, str, Any]]()
    hands = CampaignHands()
    events, limits = Events(settings.redis_url or ""), Limits(settings.redis_url or "")
    async with connect(settings) as client, Redis.from_url(settings.redis_url or "") as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe("socketio")
        listening = asyncio.create_task(_listen(pubsub, told))
        rows = database(client, settings)
        stores = Repositories.over(rows)
        await stores.create_indexes()
        built = build_services(
            settings,
            rows,
            control=actors,
            credit=a_writer(stores),
            telephony=carrier,
            events=events,
            limits=limits,
            campaigns=hands,
        )
        nobody = Principal(new_id(), new_id(), "owner")
        house = House(settings, built, stores, carrier, actors, events, nobody, told, hands)
        house.principal = await house.tenant()
        yield house
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await limits.close()
        await events.close()


async def _listen(pubsub: Any, told: asyncio.Queue[tuple[str, str, Any]]) -> None:
    """What Socket.IO servers would deliver, as (room, event, payload)."""
    async for message in pubsub.listen():
        if message["type"] == "message":
            event = json.loads(message["data"])
            await told.put((event["room"], event["event"], event["data"][0]))
