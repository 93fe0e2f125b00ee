"""Processes of the running product that are killed, or frozen, under live calls: what callers and dashboards notice."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psutil
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from actors.call_session import prompt
from cli.background import Background
from simulators.caller import Do, HangUp, Say, StaySilent, WaitForAgent
from simulators.tool_calls import Answer, Wanted
from simulators.web import LocalServer
from tests.integration.product.customer import sign_up, watch
from tests.integration.product.survivor import Survivor, longest_silence
from tests.integration.product.victims import (
    LEDGER_WRITER,
    POOL,
    REPLICA,
    SPEECH_TO_TEXT,
    Blow,
    is_gone,
    processes,
    relaying,
)
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WISH = "hello i would like to book an appointment"
GAP_S = 6.0
"""A call goes on within 3 s; these tests share a small machine with all of the product."""
FROZEN_GAP_S = 10.0
QUIET_S = 2.0
"""What the caller waits after the agent, who may have paused in the middle."""
OUTAGE_S = 3.0
NEXT_CALL_S = 10.0
HOURS = "We are open every day of the week. " * 4
Show = Callable[[str], None]


@pytest.fixture
def survivor(world: World) -> Survivor:
    """A call to be."""
    return Survivor(world)


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    """Prints a measured figure."""

    def write(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {text}\n")

    return write


# --- the call's own actor -------------------------------------------------------------------------------
async def test_a_sentence_said_while_the_actor_dies_is_heard_once_and_answered(survivor: Survivor, show: Show) -> None:
    blow = survivor.blow()
    report = await survivor.lives(WaitForAgent(), Do(blow, after_s=0.8), Say(WISH), WaitForAgent(), HangUp())
    silence_s = longest_silence(report, max(blow.at, report.utterances[0].end))
    show(f"SIGKILL of the actor while the caller speaks: an answer {silence_s:.2f} s after the sentence")
    assert silence_s < GAP_S
    assert [role for role, _ in survivor.turns] == ["assistant", "user", "assistant"]
    assert "appointment" in survivor.said("user")[0].lower()
    await survivor.check(report)


async def test_of_a_turn_whose_speaker_dies_the_log_has_what_was_heard_and_it_goes_on(
    world: World, survivor: Survivor, show: Show
) -> None:
    def answer(messages: Sequence[Mapping[str, object]]) -> str:
        return "And that is all." if messages[-1]["content"] == prompt.GO_ON else HOURS

    world.llm.answer = answer
    blow = survivor.blow()
    steps = (WaitForAgent(), Say("yes please"), Do(blow, after_s=3.5), WaitForAgent(quiet_s=QUIET_S), HangUp())
    report = await survivor.lives(*steps)
    silence_s = longest_silence(report, blow.at)
    show(f"SIGKILL of the actor while the agent speaks: {silence_s:.2f} s of silence")
    assert silence_s < GAP_S
    assert [role for role, _ in survivor.turns] == ["assistant", "user", "assistant", "assistant"]
    _, cut, rest = survivor.said("assistant")
    assert HOURS.startswith(cut)
    assert 3 <= len(cut.split()) < len(HOURS.split())
    assert rest == f"{prompt.RESUMED} And that is all."
    await survivor.check(report)


async def test_a_function_whose_answer_is_lost_is_called_once_and_the_model_is_told(
    world: World, survivor: Survivor
) -> None:
    def answer(messages: Sequence[Mapping[str, object]]) -> str | Answer:
        gave = [message["content"] for message in messages if message["role"] == "tool"]
        if not gave:
            return Answer("", (Wanted("book", {"day": "tuesday"}),))
        return "I do not know whether it is booked." if gave == [prompt.LOST] else "It is booked."

    world.llm.answer = answer
    async with a_slow_shop(survivor.blow()) as (url, asked):
        function = {
            "name": "book",
            "description": "Book a day.",
            "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
            "url": url,
        }
        steps = (WaitForAgent(), Say("tuesday please"), WaitForAgent(quiet_s=QUIET_S), HangUp())
        report = await survivor.lives(*steps, tools={"functions": [function]})
    assert asked == [{"day": "tuesday"}]
    told = " ".join(survivor.said("assistant"))
    assert told.endswith(f"{prompt.RESUMED} I do not know whether it is booked.")
    assert survivor.said("user") == ["tuesday please"]
    await survivor.check(report)


@asynccontextmanager
async def a_slow_shop(blow: Blow) -> AsyncIterator[tuple[str, list[object]]]:
    """A function that takes longer than its caller lives: its address, and what it was asked."""
    asked: list[object] = []

    async def answer(request: Request) -> JSONResponse:
        asked.append(await request.json())
        await asyncio.sleep(0.5)
        blow()
        await asyncio.sleep(1.0)
        return JSONResponse({"booked": True})

    server = LocalServer(Starlette(routes=[Route("/book", answer, methods=["POST"])]))
    async with server:
        yield f"{server.url}/book", asked


async def test_a_call_outlives_two_actors(survivor: Survivor, show: Show) -> None:
    first, second = survivor.blow(), survivor.blow()
    steps = (
        *(WaitForAgent(), Do(first, after_s=0.6), Say(WISH), WaitForAgent(quiet_s=QUIET_S)),
        *(Do(second, after_s=0.6), Say("tuesday please"), WaitForAgent(quiet_s=QUIET_S)),
    )
    report = await survivor.lives(*steps, HangUp())
    wish, day = report.utterances
    one_s = longest_silence(report, max(first.at, wish.end), day.start)
    other_s = longest_silence(report, max(second.at, day.end))
    show(f"SIGKILL of two actors, one after the other: answers after {one_s:.2f} and {other_s:.2f} s")
    assert max(one_s, other_s) < GAP_S
    assert first.victim != second.victim
    said = [text.lower() for text in survivor.said("user")]
    assert len(said) == 2
    assert "appointment" in said[0]
    assert "tuesday" in said[1]
    await survivor.check(report)


async def test_a_frozen_actor_is_replaced_under_its_call(survivor: Survivor, show: Show) -> None:
    blow = survivor.blow(psutil.Process.suspend)
    steps = (WaitForAgent(), Do(blow, after_s=0.8), Say(WISH), WaitForAgent(timeout_s=20.0), HangUp())
    report = await survivor.lives(*steps)
    silence_s = longest_silence(report, blow.at)
    show(f"SIGSTOP of the actor: the agent is heard again {silence_s:.2f} s later")
    assert silence_s < FROZEN_GAP_S
    assert [role for role, _ in survivor.turns] == ["assistant", "user", "assistant"]
    assert "appointment" in survivor.said("user")[0].lower()
    assert blow.victim is not None
    assert is_gone(blow.victim)
    await survivor.check(report)


# --- others that a call needs ---------------------------------------------------------------------------
@pytest.mark.parametrize("title", [POOL, LEDGER_WRITER, SPEECH_TO_TEXT])
async def test_nobody_on_the_phone_notices_that_others_die_and_soon_the_next_call_can_be_placed(
    survivor: Survivor, title: str, show: Show
) -> None:
    blow, next_one = Blow(lambda: processes(title)[0]), Survivor(survivor.world)
    await survivor.begins(WaitForAgent(), Do(blow, after_s=0.5), Say(WISH), WaitForAgent(), HangUp())
    async with asyncio.timeout(30):
        while blow.victim is None:  # noqa: ASYNC110 - the caller does it
            await asyncio.sleep(0.02)
    await next_one.begins(WaitForAgent(), Say("yes please"), WaitForAgent(), HangUp(), within_s=NEXT_CALL_S)
    show(f"SIGKILL of {title}: the next call is taken {time.monotonic() - blow.at:.2f} s later")
    for each in (survivor, next_one):
        report = await each.ends()
        assert len(each.said("user")) == 1
        assert not each.was_bridged
        await each.check(report)
    assert "appointment" in survivor.said("user")[0].lower()


async def test_with_a_replica_its_calls_end_as_they_should_and_those_of_the_other_go_on(world: World) -> None:
    by_replica = await calls_on_both_replicas(world)
    victim, *_ = by_replica
    lost, others = by_replica.pop(victim), [call for calls in by_replica.values() for call in calls]
    watcher = await watch(world.url, lost[0].world.customer.token, lost[0].call["sessionId"])
    await asyncio.sleep(1.0)
    victim.kill()

    for each in lost:
        assert (await each.ends()).end_reason == "platform"
        assert (each.log["status"], each.log["endReason"]) == ("failed", "edge_lost")
        await each.check_ledger("settle", "release")
    assert "call:ended" in [event["event"] for event in await watcher.events()]
    for each in others:
        report = await each.ends()
        assert each.said("user") == ["yes please"]
        assert not each.was_bridged
        await each.check(report)
    async with asyncio.timeout(60):
        while len(processes(REPLICA)) < world.settings.serve_replicas:  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.1)


async def calls_on_both_replicas(world: World) -> dict[psutil.Process, list[Survivor]]:
    """Live calls by the replica of each, which the ingress picks."""
    while True:
        by_replica: dict[psutil.Process, list[Survivor]] = {}
        # Another customer each time, who may order calls although the last one has ordered as many as one may.
        once = replace(world, customer=await sign_up(world.customer.http, "clinic"))
        calls = [Survivor(once) for _ in range(world.settings.call_slots)]
        for call in calls:
            await call.begins(WaitForAgent(), StaySilent(8.0), Say("yes please"), WaitForAgent(), HangUp())
            by_replica.setdefault(relaying(await call.is_carried()), []).append(call)
            if len(by_replica) == world.settings.serve_replicas:
                return by_replica
        for call in calls:
            await call.ends()


@pytest.fixture
def outage(services: Background, request: pytest.FixtureRequest) -> Iterator[Blow]:
    """Freezes one of the session's services for a while."""
    pid = services.pid(request.param)
    assert pid is not None
    service = psutil.Process(pid)

    def freeze(process: psutil.Process) -> None:
        process.suspend()
        asyncio.get_running_loop().call_later(OUTAGE_S, process.resume)

    yield Blow(lambda: service, freeze)
    service.resume()


@pytest.mark.parametrize("outage", ["redis", "mongodb"], indirect=True)
async def test_a_store_that_is_away_for_a_moment_costs_no_turn_and_no_event(survivor: Survivor, outage: Blow) -> None:
    world = survivor.world
    steps = (WaitForAgent(), Do(outage, after_s=0.5), Say(WISH), WaitForAgent(), Say("tuesday please"), WaitForAgent())
    await survivor.begins(*steps, HangUp())
    watcher = await watch(world.url, world.customer.token, survivor.call["sessionId"])
    events: list[dict[str, Any]] = await watcher.events()
    report = await survivor.ends()
    assert outage.victim is not None
    assert len(survivor.said("user")) == 2
    told = [(each["data"]["role"], each["data"]["text"]) for each in events if each["event"] == "call:transcript"]
    assert told == survivor.turns
    assert not survivor.was_bridged
    await survivor.check(report)
