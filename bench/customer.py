"""A customer of a deployed product, and the carrier: for benchmarks of what is around calls, whose calls are short.

Callees say nothing and agents speak with the local voice, so no other vendor is needed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx

from bench.conversation import ACCOUNT, AGENT, NUMBERS, Product
from models.call import Call
from models.document import Id
from simulators.caller import HangUp, Script, StaySilent
from simulators.carrier import Carrier, CarrierCall, Plan
from simulators.exotel_calls import Outcome
from stores.mongo import connect, database
from stores.outage import AWAY
from stores.repositories import Repositories

SHORT = Plan(Script((StaySilent(1.0), HangUp())), dial_s=0.1, ring_s=0.2)
"""Answered, and hung up a second later."""
BUSY = Plan(Script(()), Outcome.BUSY, dial_s=0.0, ring_s=0.0)
"""Busy at once."""
AGAIN_S = 0.5
ORDER_S = 60.0
"""An order that there is no room for, or nobody to take, is given again for so long."""


class Customer:
    """One account with a phone and an agent. `carrier` is everybody's."""

    def __init__(self, http: httpx.AsyncClient, carrier: Carrier, stores: Repositories) -> None:
        self.carrier = carrier
        self.stores = stores
        self.organization_id = Id("")
        self.agent_id = ""
        self._http = http

    async def sign_up(self) -> None:
        """An account, its phone and its agent."""
        body = {"email": f"bench-{time.time_ns()}@example.com", "password": "a long password"}
        made = await self.ask("POST", "/auth/signup", body)
        self._http.headers["Authorization"] = f"Bearer {made['tokens']['access']}"
        user = await self.stores.users.by_id(Id(made["user"]["_id"]))
        assert user is not None, "who has signed up is there"
        self.organization_id = user.organization_id
        await self.ask("POST", "/phones/import", {"number": NUMBERS[0], "country": "IN", "exotelConfig": ACCOUNT})
        config = {**AGENT, "voice": {"provider": "espeak", "voiceId": "en-us+f2"}, "firstMessage": "Hello."}
        self.agent_id = (await self.ask("POST", "/agents", {"name": "Bench", "config": config}))["agent"]["_id"]

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """One request's data; raises httpx.HTTPError when it is refused or nobody answers."""
        answer = await self._http.request(method, path, json=body)
        answer.raise_for_status()
        data: dict[str, Any] = answer.json().get("data", {})
        return data

    async def call(self) -> CarrierCall | None:
        """One call from its order to its end at the carrier. None: it was ordered, but nobody knows how that ended.

        Ordered again while there is no room; raises TimeoutError when there is none for too long.
        """
        order = {"fromPhone": NUMBERS[0], "toPhone": NUMBERS[1], "agentId": self.agent_id}
        async with asyncio.timeout(ORDER_S):
            while True:
                try:
                    placed = (await self.ask("POST", "/calls/outbound", order))["call"]
                    break
                except httpx.HTTPStatusError as error:
                    if error.response.status_code < 500:
                        raise
                    await asyncio.sleep(AGAIN_S)
                except httpx.TransportError:
                    await asyncio.sleep(AGAIN_S)
                    return None
        held = self.carrier.calls[placed["exotelCallSid"]]
        await held.ended.wait()
        return held

    async def calls_since(self, began: datetime) -> list[Call]:
        """Every call that was made from then on, with its turns, oldest first. Raises what the store raises."""
        found: list[Call] = []
        for page in range(1, 100):
            lot = await self.stores.calls.search(self.organization_id, since=began, page=page, limit=100)
            found += [await self.stores.calls.get(self.organization_id, call.id) for call in lot.items]
            if len(found) >= lot.total:
                break
        return found[::-1]

    async def over_since(self, began: datetime, within_s: float) -> list[Call]:
        """The same once all of them are over, or the time is up."""
        give_up = time.monotonic() + within_s
        while True:
            try:
                found = await self.calls_since(began)
            except AWAY:
                found = []
            if time.monotonic() > give_up or (found and all(call.ended_at for call in found)):
                return found
            await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def customer(
    product: Product,
    plan: Plan = SHORT,
    *,
    owner: Id | None = None,
    on_end: Callable[[CarrierCall], None] | None = None,
) -> AsyncIterator[Customer]:
    """A new one of the product's, and the carrier at the port it was told, until the context is left.

    With an `owner` nobody signs up: that organization's documents can be read, and nothing be asked.
    """
    base = f"http://127.0.0.1:{product.settings.port}/api/v1"
    async with (
        Carrier(plan, port=product.ports.carrier, on_end=on_end) as carrier,
        httpx.AsyncClient(base_url=base, timeout=30.0) as http,
        connect(product.settings) as client,
    ):
        made = Customer(http, carrier, Repositories.over(database(client, product.settings)))
        if owner is None:
            await made.sign_up()
        else:
            made.organization_id = owner
        yield made
