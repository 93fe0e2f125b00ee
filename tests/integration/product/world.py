"""A running Callboard, the vendors of one test, and a customer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from models.settings import Settings
from simulators.caller import HangUp, Say, Script, Step, WaitForAgent
from simulators.carrier import Carrier, Plan
from simulators.llm import LlmServer
from simulators.report import CallReport
from simulators.tts import TtsServer
from tests.integration.product.customer import Customer, sign_up

BOOKING = (
    WaitForAgent(),
    Say("hello i would like to book an appointment"),
    WaitForAgent(),
    Say("tuesday please"),
    WaitForAgent(),
    HangUp(),
)


@dataclass(frozen=True)
class World:
    """`customer` is a fresh account with credits; the carrier's callers book an appointment unless told otherwise."""

    settings: Settings
    carrier: Carrier
    llm: LlmServer
    tts: TtsServer
    customer: Customer

    @property
    def url(self) -> str:
        """Where the product is."""
        return f"http://127.0.0.1:{self.settings.port}"

    def here(self, address: str) -> str:
        """A public address of the product, as it is reached in tests."""
        parts = urlsplit(address)
        return f"{self.url}{parts.path}?{parts.query}"

    def next_caller(self, *steps: Step) -> None:
        """The next call's caller does this."""
        self.carrier.plans.add(_plan(steps))

    async def until_status(self, call_id: str, status: str, within_s: float = 20.0) -> None:
        """Wait for a call's status."""
        async with asyncio.timeout(within_s):
            while (await self.customer.log(call_id))["status"] != status:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(0.1)

    async def report(self, call: dict[str, Any]) -> CallReport:
        """The carrier's side of a call, once it is over."""
        held = self.carrier.calls[call["exotelCallSid"]]
        async with asyncio.timeout(60):
            await held.ended.wait()
        assert held.report is not None
        return held.report

    def recording(self, call_id: str) -> Path:
        """Where the product keeps the call's sound."""
        return self.settings.callboard_data_dir / "recordings" / f"{call_id}.wav"


@asynccontextmanager
async def a_world(platform: Settings) -> AsyncIterator[World]:
    """Vendors at the ports the platform was told, until the context is left."""
    async with AsyncExitStack() as running:
        carrier = carrier_of(platform, _plan(BOOKING))
        llm = LlmServer(port=_port(platform.openai_base_url))
        tts = TtsServer(port=_port(platform.elevenlabs_base_url))
        base = f"http://127.0.0.1:{platform.port}/api/v1"
        for vendor in (llm, tts, carrier):
            await running.enter_async_context(vendor)
        http = await running.enter_async_context(httpx.AsyncClient(base_url=base, timeout=30.0))
        yield World(platform, carrier, llm, tts, await sign_up(http, "clinic"))


def carrier_of(platform: Settings, plan: Plan) -> Carrier:
    """The carrier at the port the platform was told; `plan` is what becomes of calls unless told otherwise."""
    return Carrier(plan, port=_port(platform.exotel_base_url))


def _plan(steps: tuple[Step, ...]) -> Plan:
    return Plan(Script(steps), dial_s=0.1, ring_s=0.2)


def _port(url: str | None) -> int:
    port = urlsplit(url or "").port
    assert port is not None
    return port
