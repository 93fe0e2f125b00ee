"""The canonical API over the real database, spoken to as a client does, mounted as `app` mounts it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from models.document import new_id
from serve_app.api import build_api
from services.logins import Logins
from services.principal import Principal
from tests.documents import a_phone, a_user
from tests.services.conftest import House, house  # noqa: F401 - fixtures

PASSWORD = "SecurePassword123!"
AGENT: dict[str, Any] = {
    "name": "Sales Agent",
    "config": {
        "prompt": "You are a friendly sales representative...",
        "voice": {"provider": "elevenlabs", "voiceId": "21m00Tcm4TlvDq8ikWAM", "model": "eleven_turbo_v2"},
        "language": "en",
        "llm": {"model": "gpt-4", "temperature": 0.7},
        "firstMessage": "Hi! I'm calling from XYZ Company.",
        "sessionTimeout": 300,
    },
}


@dataclass
class Client:
    """A client of the API; `user` is who it signed up as."""

    http: httpx.AsyncClient
    house: House
    user: dict[str, Any] = field(default_factory=dict)

    async def ask(self, method: str, path: str, status: int = 200, **request: Any) -> Any:
        """The JSON of an answer, which must have this status."""
        response = await self.http.request(method, f"/api/v1{path}", **request)
        assert response.status_code == status, response.text
        return response.json()

    async def sign_up(self) -> None:
        """Become somebody new, through the API."""
        body = {"email": a_user(new_id()).email, "password": PASSWORD, "name": "John Doe"}
        data = (await self.ask("POST", "/auth/signup", 201, json=body))["data"]
        self.user = data["user"]
        self.http.headers["Authorization"] = f"Bearer {data['tokens']['access']}"

    async def become(self, principal: Principal) -> None:
        """Become the user of a tenant, without the cost of a password."""
        user = a_user(principal.organization_id, id=principal.user_id, organization_role=principal.role)
        await self.house.stores.users.insert(user)
        tokens = await Logins(self.house.settings, self.house.stores).begin(user, datetime.now(UTC))
        self.http.headers["Authorization"] = f"Bearer {tokens.access}"

    async def agent(self, **config: Any) -> str:
        """A new agent's id; the fields given are in its configuration."""
        body = AGENT | {"config": {**AGENT["config"], **config}}
        agent_id: str = (await self.ask("POST", "/agents", 201, json=body))["data"]["agent"]["_id"]
        return agent_id

    async def phone(self) -> dict[str, Any]:
        """A new phone."""
        account = {"apiKey": "EXkey", "apiToken": "secret-token", "sid": "acme", "subdomain": "api.exotel.com"}
        number = a_phone(self.house.principal.organization_id).number
        body = {"number": number, "country": "IN", "exotelConfig": account}
        phone: dict[str, Any] = (await self.ask("POST", "/phones/import", 201, json=body))["data"]["phone"]
        return phone

    async def call(self) -> dict[str, Any]:
        """A call just placed."""
        body = {
            "fromPhone": (await self.phone())["number"],
            "toPhone": "+919123456789",
            "agentId": await self.agent(),
            "metadata": {"customerName": "John Doe", "orderId": None},
        }
        call: dict[str, Any] = (await self.ask("POST", "/calls/outbound", 201, json=body))["data"]["call"]
        return call


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:  # noqa: F811
    """A client with a token, of an organization with a credit."""
    app = Starlette(routes=[Mount("/api/v1", build_api(house.services))])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        client = Client(http, house)
        await client.become(house.principal)
        yield client
