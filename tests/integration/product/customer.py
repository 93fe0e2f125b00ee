"""A customer of a running Callboard: what a dashboard team's code does, over HTTP."""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cli.embedded.tools import node
from models.settings import REPOSITORY

JOIN_CALL = REPOSITORY / "tests" / "js" / "join_call.mjs"
JOIN_CAMPAIGN = REPOSITORY / "tests" / "js" / "join_campaign.mjs"
ACCOUNT = {"apiKey": "demo-key", "apiToken": "demo-token", "sid": "demo", "subdomain": "api.in.exotel.com"}
CALLER = "+919876543210"
GREETING = "Hello, this is the demo clinic. How can I help you today?"
PASSWORD = "a long password"


def agent_body(**config: object) -> dict[str, Any]:
    """An agent that speaks with the local voice, unless told otherwise."""
    base: dict[str, object] = {
        "prompt": "You answer the phone of a small clinic and book appointments.",
        "voice": {"provider": "espeak", "voiceId": "en-us+f2"},
        "language": "en",
        "llm": {"model": "gpt-4"},
        "firstMessage": GREETING,
        "sessionTimeout": 120,
    }
    return {"name": "Clinic", "config": base | config}


def import_body() -> dict[str, Any]:
    """A number that nobody has yet, of the simulated carrier's account."""
    number = f"+9180{secrets.randbelow(10**8):08d}"
    return {"number": number, "country": "IN", "exotelConfig": ACCOUNT}


def from_anywhere() -> dict[str, str]:
    """A header that gives the client an address of its own: what is counted per address is counted anew."""
    return {"X-Forwarded-For": f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"}


@dataclass(frozen=True)
class Account:
    """What signing up gave; its password is PASSWORD."""

    email: str
    user: dict[str, Any]
    access: str
    refresh: str


@dataclass(frozen=True)
class Customer:
    """One account with a token."""

    http: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """One request."""
        return await self.http.request(method, path, json=body, headers={"Authorization": f"Bearer {self.token}"})

    async def get(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One request that must succeed; its data."""
        answer = await self.ask(method, path, body)
        assert answer.is_success, answer.text
        data: dict[str, Any] = answer.json().get("data", {})
        return data

    async def agent(self, **config: object) -> str:
        """A new agent's id."""
        identifier: str = (await self.get("POST", "/agents", agent_body(**config)))["agent"]["_id"]
        return identifier

    async def phone(self, agent_id: str) -> dict[str, Any]:
        """A new phone with this agent."""
        phone: dict[str, Any] = (await self.get("POST", "/phones/import", import_body()))["phone"]
        await self.get("PUT", f"/phones/{phone['_id']}/agent", {"agentId": agent_id})
        return phone

    async def call(self, **config: object) -> dict[str, Any]:
        """Dial the caller with a new agent from a new phone."""
        agent_id = await self.agent(**config)
        phone = await self.phone(agent_id)
        order = {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id}
        call: dict[str, Any] = (await self.get("POST", "/calls/outbound", order))["call"]
        return call

    async def log(self, call_id: str) -> dict[str, Any]:
        """The call as its log has it now."""
        call: dict[str, Any] = (await self.get("GET", f"/calls/{call_id}"))["call"]
        return call

    async def final_log(self, call_id: str, within_s: float = 60.0) -> dict[str, Any]:
        """The log once the call is over."""
        async with asyncio.timeout(within_s):
            while (call := await self.log(call_id)).get("endedAt") is None:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(0.1)
        return call


async def sign_up(http: httpx.AsyncClient, name: str) -> Customer:
    """A new account."""
    body = {"email": f"{name}-{time.time_ns()}@example.com", "password": PASSWORD, "name": name}
    answer = await http.post("/auth/signup", json=body, headers=from_anywhere())
    assert answer.status_code == 201, answer.text
    return Customer(http, answer.json()["data"]["tokens"]["access"])


@dataclass(frozen=True)
class Watcher:
    """The real JavaScript client, joined to a call or a campaign in a Node process."""

    process: asyncio.subprocess.Process

    async def has_joined(self) -> None:
        """Returns when it was told that it may watch, which only the server of campaigns says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while json.loads(await self.process.stdout.readline())["event"] != "joined":
                pass

    async def events(self, within_s: float = 90.0) -> list[dict[str, Any]]:
        """Everything it printed until it left."""
        async with asyncio.timeout(within_s):
            output, errors = await self.process.communicate()
        assert not errors, errors.decode()
        return [json.loads(line) for line in output.decode().splitlines()]


async def watch(url: str, token: str, session_id: str, *options: str) -> Watcher:
    """Start the JavaScript client; it leaves by itself at the end of the call."""
    return await _joined(JOIN_CALL, url, token, session_id, *options)


async def watch_campaign(url: str, token: str, campaign_id: str) -> Watcher:
    """The same for a campaign, until it is over."""
    return await _joined(JOIN_CAMPAIGN, url, token, campaign_id)


async def _joined(script: Path, *arguments: str) -> Watcher:
    process = await asyncio.create_subprocess_exec(
        str(node()), str(script), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return Watcher(process)
