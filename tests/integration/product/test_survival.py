"""Processes of the running product that are killed, or frozen, under live calls: what callers and dashboards notice."""

import asyncio
import sys
import wave
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from actors.call_session import prompt
from simulators.caller import Do, HangUp, Say, Step, StaySilent, WaitForAgent
from simulators.report import CallReport
from simulators.tool_calls import Answer, Wanted
from simulators.web import LocalServer
from tests.integration.product.customer import GREETING
from tests.integration.product.victims import Blow, carrying
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WISH = "hello i would like to book an appointment"
AWAIT_S = 6.0
"""A call goes on within 3 s; these tests share a small machine with all of the product."""
QUIET_S = 2.0
"""What the caller waits after the agent, who may have paused in the middle."""
MINUTES = "We are open every day of the week. " * 4


class Survivor:
    """One call whose actor is to die, from beginning to end."""

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

    async def lives(self, *steps: Step, **config: object) -> CallReport:
        """The call with this caller, and its log."""
        self.world.next_caller(*steps)
        self.call = await self.world.customer.call(**config)
        self.log = await self.world.customer.final_log(self.call["_id"])
        return await self.world.report(self.call)

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Who said what."""
        return [(turn["role"], turn["content"]) for turn in self.log["conversationHistory"]]

    async def check(self, report: CallReport) -> None:
        """What holds for every call that lived on: final, paid for once, nothing held, recorded as a whole."""
        assert self.log["status"] == "completed", self.log
        assert report.end_reason == "caller"
        assert not report.missed
        entries = await self._entries()
        assert [entry["type"] for entry in entries].count("settle") == 1
        balance = (await self.world.customer.get("GET", "/billing/balance"))["balance"]
        assert balance["held"] == 0
        with wave.open(str(self.world.recording(self.call["_id"]))) as audio:
            assert (audio.getnchannels(), audio.getframerate()) == (2, report.rate_hz)
            assert audio.getnframes() / report.rate_hz == pytest.approx(report.ended - report.origin, abs=2.0)

    async def _entries(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(30):
            while True:
                ledger = await self.world.customer.get("GET", f"/billing/ledger?callId={self.call['_id']}")
                entries: list[dict[str, Any]] = ledger["entries"]
                if entries[0]["type"] in ("settle", "release"):
                    return entries
                await asyncio.sleep(0.1)


@pytest.fixture
def survivor(world: World) -> Survivor:
    """A call to be."""
    return Survivor(world)


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a measured figure."""

    def write(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {text}\n")

    return write


def heard_again(report: CallReport, since: float) -> float:
    """Seconds until the agent began to sound after this moment."""
    return next((start for start, _ in report.agent_speech if start > since), float("inf")) - since


async def test_a_sentence_said_while_the_actor_dies_is_heard_once_and_answered(
    survivor: Survivor, show: Callable[[str], None]
) -> None:
    blow = survivor.blow()
    steps = (WaitForAgent(), Do(blow, after_s=0.8), Say(WISH), WaitForAgent(), Say("tuesday please"), WaitForAgent())
    report = await survivor.lives(*steps, HangUp())
    show(f"SIGKILL of the actor while the caller speaks: the agent sounds {heard_again(report, blow.at):.2f} s later")
    assert [role for role, _ in survivor.turns] == ["assistant", "user", "assistant", "user", "assistant"]
    assert "appointment" in survivor.turns[1][1].lower()
    assert "tuesday" in survivor.turns[3][1].lower()
    spoke_until = max(blow.at, report.utterances[0].end)
    assert heard_again(report, spoke_until) < AWAIT_S
    await survivor.check(report)
