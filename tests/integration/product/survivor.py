"""A call that is to outlive parts of the product, and what holds for it in the end."""

import asyncio
import time
import wave
from collections.abc import Callable
from typing import Any

import httpx
import psutil
import pytest

from actors.call_session import prompt
from simulators.caller import Step
from simulators.ear import LOUD_DBFS
from simulators.report import CallReport
from simulators.sound import level_dbfs
from tests.integration.product.customer import CALLER
from tests.integration.product.victims import Blow, carrying
from tests.integration.product.world import World

FRAME_S = 0.02
AGAIN_S = 1.0


class Survivor:
    """One call of the world's customer, from its order to its log."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.call: dict[str, Any] = {}
        self.log: dict[str, Any] = {}

    def actor(self) -> psutil.Process:
        """Who carries it now."""
        return carrying(self.world.recording(self.call["_id"]))

    def blow(self, strike: Callable[[psutil.Process], None] = psutil.Process.kill) -> Blow:
        """Against whoever carries it then."""
        return Blow(self.actor, strike)

    async def begins(self, *steps: Step, within_s: float = 0.0, **config: Any) -> None:
        """The call is ordered; its caller will do this. Tries again so long while all lines are busy."""
        customer = self.world.customer
        agent_id = await customer.agent(**({"firstMessage": "Hello?"} | config))
        phone = await customer.phone(agent_id)
        order = {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id}
        self.world.next_caller(*steps)
        give_up = time.monotonic() + within_s
        while (answer := await customer.ask("POST", "/calls/outbound", order)).status_code == 503:
            assert time.monotonic() < give_up, answer.text
            await asyncio.sleep(AGAIN_S)
        assert answer.status_code == 201, answer.text
        self.call = answer.json()["data"]["call"]

    async def is_carried(self) -> psutil.Process:
        """Wait for its actor."""
        async with asyncio.timeout(20):
            while True:
                try:
                    return self.actor()
                except LookupError:
                    await asyncio.sleep(0.1)

    async def ends(self) -> CallReport:
        """The carrier's side of it, once its log is final; asked again when a replica dies over the question."""
        while not self.log:
            try:
                self.log = await self.world.customer.final_log(self.call["_id"])
            except httpx.TransportError:
                await asyncio.sleep(AGAIN_S)
        return await self.world.report(self.call)

    async def lives(self, *steps: Step, **config: Any) -> CallReport:
        """All of it."""
        await self.begins(*steps, **config)
        return await self.ends()

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Who said what."""
        return [(turn["role"], turn["content"]) for turn in self.log["conversationHistory"]]

    def said(self, role: str) -> list[str]:
        """What one side said."""
        return [content for speaker, content in self.turns if speaker == role]

    @property
    def was_bridged(self) -> bool:
        """Whether the caller was told of a lost line."""
        return any(prompt.RESUMED in content for content in self.said("assistant"))

    async def check(self, report: CallReport, *, ended_by: str = "caller") -> None:
        """What holds for every call that lived on: final, paid for once, nothing held, recorded as a whole."""
        assert self.log["status"] == "completed", self.log
        assert report.end_reason == ended_by
        assert not report.missed
        await self.check_ledger("settle")
        with wave.open(str(self.world.recording(self.call["_id"]))) as audio:
            assert (audio.getnchannels(), audio.getframerate()) == (2, report.rate_hz)
            assert audio.getnframes() / report.rate_hz == pytest.approx(report.ended - report.origin, abs=2.0)

    async def check_ledger(self, *last: str) -> None:
        """It was closed once, by one of these entries, and holds nothing any more."""
        entries = await self._entries()
        assert sum(entry["type"] in ("settle", "release") for entry in entries) == 1
        assert entries[0]["type"] in last
        assert sum(entry["held"] for entry in entries) == pytest.approx(0.0, abs=1e-9)

    async def _entries(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(30):
            while True:
                ledger = await self.world.customer.get("GET", f"/billing/ledger?callId={self.call['_id']}")
                entries: list[dict[str, Any]] = ledger["entries"]
                if entries[0]["type"] in ("settle", "release"):
                    return entries
                await asyncio.sleep(0.1)


def longest_silence(report: CallReport, since: float, until: float = float("inf")) -> float:
    """Of the agent, seconds between two moments, up to its last sound among them; endless if there was none."""
    assert report.heard is not None
    size = int(FRAME_S * report.rate_hz)
    last, longest = since, float("inf")
    first, end = int((since - report.origin) / FRAME_S), int((min(until, report.ended) - report.origin) / FRAME_S)
    for frame in range(first, end):
        if level_dbfs(report.heard[frame * size : (frame + 1) * size]) > LOUD_DBFS:
            at = report.origin + frame * FRAME_S
            longest = max(at - last, 0.0 if longest == float("inf") else longest)
            last = at
    return longest
