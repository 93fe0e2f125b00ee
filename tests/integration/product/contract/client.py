"""A client that checks the envelope of every answer it gets, and opens accounts."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.integration.product.contract.document import ERROR_CODES
from tests.integration.product.contract.shapes import Part, Shape, anything, assert_fits, false, one_of, text
from tests.integration.product.customer import CALLER, PASSWORD, Account, agent_body, from_anywhere, import_body

SUCCESS = ("success", "data", "message")


@dataclass(frozen=True)
class Client:
    """One who asks: `token` is an access token, an API key or empty; `headers` go with every request."""

    http: httpx.AsyncClient
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, body: Any = None, **request: Any) -> httpx.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {**self.headers, **request.pop("headers", {})}
        return await self.http.request(method, path, json=body, headers=headers, **request)

    async def answer(
        self, method: str, path: str, body: Any = None, *, status: int = 200, data: Part = anything, **request: Any
    ) -> Any:
        """The data of a success, which must have this status and shape."""
        response = await self.send(method, path, body, **request)
        assert response.status_code == status, response.text
        assert response.headers["Content-Type"] == "application/json"
        whole = response.json()
        assert whole["success"] is True
        assert whole.keys() <= set(SUCCESS)
        assert_fits(data, whole["data"])
        return whole["data"]

    async def done(self, method: str, path: str, body: Any = None, **request: Any) -> str:
        """The message of a success that has no data."""
        response = await self.send(method, path, body, **request)
        assert response.status_code == 200, response.text
        whole = response.json()
        assert whole.keys() == {"success", "message"}
        assert whole["success"] is True
        message: str = whole["message"]
        return message

    async def refusal(self, status: int, method: str, path: str, body: Any = None, **request: Any) -> dict[str, Any]:
        """The error of a refusal, which must have this status and its code."""
        return refused(await self.send(method, path, body, **request), status)

    async def fields(self, method: str, path: str, body: Any = None, **request: Any) -> dict[str, str]:
        """The messages of a 400 by the field they are about."""
        error = await self.refusal(400, method, path, body, **request)
        assert error["message"] == "Validation failed"
        assert error["details"].keys() == {"fields"}
        for refusal in error["details"]["fields"]:
            assert_fits(Shape({"field": text, "message": text}), refusal)
        return {refusal["field"]: refusal["message"] for refusal in error["details"]["fields"]}

    # --- things to work with --------------------------------------------------------------------------
    async def agent(self, **config: object) -> str:
        """A new agent's id."""
        made = await self.answer("POST", "/agents", agent_body(**config), status=201)
        identifier: str = made["agent"]["_id"]
        return identifier

    async def phone(self, agent_id: str | None = None) -> dict[str, Any]:
        """A new phone, answered by this agent."""
        phone: dict[str, Any] = (await self.answer("POST", "/phones/import", import_body(), status=201))["phone"]
        if agent_id is not None:
            await self.answer("PUT", f"/phones/{phone['_id']}/agent", {"agentId": agent_id})
        return phone

    async def webhook(self) -> str:
        """A new webhook's id; nobody is at its address."""
        body = {"name": "CRM", "url": "https://hooks.invalid/callboard", "events": ["call.initiated"]}
        made = await self.answer("POST", "/webhook-endpoints", body, status=201)
        identifier: str = made["webhook"]["_id"]
        return identifier

    async def campaign(self, contacts: int = 1, **fields: object) -> dict[str, Any]:
        """A new draft of a new agent's, with contacts."""
        body = {"name": "Reminders", "agentId": await self.agent(), "fromPhone": (await self.phone())["number"]}
        made = await self.answer("POST", "/campaigns", body | fields, status=201)
        campaign: dict[str, Any] = made["campaign"]
        if contacts:
            numbers = [{"number": f"+9191234{at:05d}", "consent": True} for at in range(contacts)]
            await self.answer("POST", f"/campaigns/{campaign['_id']}/contacts", {"contacts": numbers})
        return campaign

    async def order(self, **fields: object) -> dict[str, Any]:
        """The body of an outbound call from a new phone with a new agent."""
        agent_id = await self.agent()
        phone = await self.phone(agent_id)
        return {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id} | fields

    async def call(self, **fields: object) -> dict[str, Any]:
        """A call just placed."""
        placed = await self.answer("POST", "/calls/outbound", await self.order(**fields), status=201)
        call: dict[str, Any] = placed["call"]
        return call


def refused(response: httpx.Response, status: int) -> dict[str, Any]:
    """The error of an answer, checked."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    whole = response.json()
    error = Shape({"code": one_of(ERROR_CODES[status]), "message": text, "details": anything})
    assert_fits(Shape({"success": false, "error": error}), whole)
    assert whole["error"]["message"]
    return dict(whole["error"])


def open_account(base_url: str, name: str) -> Account:
    """A new account, from an address of its own."""
    email = f"{name}-{time.time_ns()}-{secrets.token_hex(2)}@example.com"
    body = {"email": email, "password": PASSWORD, "name": name}
    answer = httpx.post(f"{base_url}/auth/signup", json=body, headers=from_anywhere(), timeout=30.0)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    return Account(email, data["user"], data["tokens"]["access"], data["tokens"]["refresh"])
