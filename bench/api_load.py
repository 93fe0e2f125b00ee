"""Requests to the running product, one client, and what twenty logins at once do to everybody else."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from argon2 import PasswordHasher

from bench import call_logs
from bench.call_queries import BIG, BUSY_AGENT, QUERIES
from bench.timing import Latencies, repeated, timed
from models.organization import Organization
from models.settings import Settings
from models.user import User
from simulators.carrier import Carrier
from stores.mongo import connect, database
from stores.repositories import Repositories

Data = dict[str, Any]
Query = Mapping[str, str]

REPLICAS = 2
EMAIL, PASSWORD = "bench@example.com", "a long password"
LOGINS_AT_ONCE = 20
PROBE_S = 6.0
WITHIN_S = 8.0
CARRIER_ACCOUNT = {"apiKey": "demo-key", "apiToken": "demo-token", "sid": "demo", "subdomain": "api.in.exotel.com"}


async def seed_tenant(settings: Settings) -> None:
    """The big organization, its owner, who may give credit, and its agents."""
    owner = call_logs.agent(0, 0).user_id
    dates = {"created_at": call_logs.UNTIL - call_logs.SPAN, "updated_at": call_logs.UNTIL - call_logs.SPAN}
    async with connect(settings) as client:
        stores = Repositories.over(database(client, settings))
        await stores.organizations.insert(Organization(id=BIG, name="Big", **dates))
        hashed = await asyncio.to_thread(PasswordHasher().hash, PASSWORD)
        user = User(id=owner, organization_id=BIG, email=EMAIL, password_hash=hashed, role="admin", **dates)
        await stores.users.insert(user)
        for number in range(call_logs.AGENTS):
            await stores.agents.insert(call_logs.agent(0, number))


class Refused(Exception):
    """A request that had to succeed did not."""


@dataclass(frozen=True, slots=True)
class Client:
    """The owner, logged in."""

    http: httpx.AsyncClient

    async def log_in(self) -> None:
        """As the owner; later requests carry the token."""
        tokens = (await self.ask("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD}))["tokens"]
        self.http.headers["Authorization"] = f"Bearer {tokens['access']}"

    async def ask(self, method: str, path: str, body: object = None, query: Query | None = None) -> Data:
        """One request that must succeed; its data."""
        answer = await self.http.request(method, path, json=body, params=query)
        if not answer.is_success:
            raise Refused(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        data: Data = answer.json().get("data", {})
        return data

    # --- measurements -----------------------------------------------------------------------------------
    async def lists(self, times: int) -> None:
        """GET /calls. Every replica counts a total once."""
        print("\nGET /calls over HTTP:     first")
        for name, query in QUERIES.items():
            ask = partial(self.ask, "GET", "/calls", query=query)
            first_ms = await timed(ask)
            await repeated(ask, REPLICAS * 4, within_s=WITHIN_S)
            then = await repeated(ask, times, within_s=WITHIN_S)
            print(f"  {name:24} {first_ms:7.1f} ms, then {then}", flush=True)

    async def figures(self) -> None:
        """What is added up over many calls; the slowest answers of the API."""
        print("\nfigures computed by the database:")
        asked: dict[str, tuple[str, Query]] = {
            "GET /agents/:id, the busy agent": (f"/agents/{BUSY_AGENT}", {}),
            "GET /dashboard/stats, last month": ("/dashboard/stats", {"fromDate": QUERIES["one week"]["toDate"]}),
            "GET /dashboard/stats, all time": ("/dashboard/stats", {}),
        }
        for name, (path, query) in asked.items():
            try:
                taken = await repeated(partial(self.ask, "GET", path, query=query), 5, within_s=WITHIN_S)
            except Refused as refused:
                print(f"  {name:34} {refused}", flush=True)
            else:
                print(f"  {name:34} {taken}", flush=True)

    async def outbound(self, carrier: Carrier, times: int) -> None:
        """POST /calls/outbound; nobody answers, so no call actor is needed."""
        await self.ask("POST", "/billing/credits", {"amount": 1000, "reason": "bench"})
        phone = f"+9180{secrets.randbelow(10**8):08d}"
        await self.ask("POST", "/phones/import", {"number": phone, "country": "IN", "exotelConfig": CARRIER_ACCOUNT})
        order = {"fromPhone": phone, "toPhone": "+919876543210", "agentId": BUSY_AGENT}
        taken = await repeated(lambda: self.ask("POST", "/calls/outbound", order), times, within_s=30.0)
        print(f"\nPOST /calls/outbound      {taken}; the carrier took {len(carrier.calls)} calls", flush=True)

    async def logins(self, times: int) -> None:
        """POST /auth/login one after another, then 20 at once while others ask for other things."""
        body = {"email": EMAIL, "password": PASSWORD}
        alone = await repeated(lambda: self.ask("POST", "/auth/login", body), times, within_s=30.0)
        print(f"\nPOST /auth/login          {alone}")
        quiet = await self._probes()
        going = asyncio.Event()
        crowd = [asyncio.create_task(self._log_in_until(going)) for _ in range(LOGINS_AT_ONCE)]
        loud = await self._probes()
        going.set()
        crowded = Latencies([ms for each in await asyncio.gather(*crowd) for ms in each])
        print(f"  {LOGINS_AT_ONCE} at once              {crowded}")
        for path in quiet:
            ratio = loud[path].p99 / quiet[path].p99
            print(f"  GET {path:8} without: {quiet[path]}  meanwhile: {loud[path]}  p99 times {ratio:.1f}", flush=True)

    async def _log_in_until(self, over: asyncio.Event) -> list[float]:
        body, taken = {"email": EMAIL, "password": PASSWORD}, []
        while not over.is_set():
            taken.append(await timed(lambda: self.ask("POST", "/auth/login", body)))
        return taken

    async def _probes(self) -> dict[str, Latencies]:
        root = str(self.http.base_url).removesuffix("/api/v1/")
        taken: dict[str, list[float]] = {"/agents": [], "/health": []}
        until = asyncio.get_running_loop().time() + PROBE_S
        while asyncio.get_running_loop().time() < until:
            taken["/agents"].append(await timed(lambda: self.ask("GET", "/agents")))
            taken["/health"].append(await timed(lambda: self.http.get(f"{root}/health")))
        return {path: Latencies(each) for path, each in taken.items()}
