"""How people talk, on real parts: interruptions, murmurs, keys, silence, machines, functions."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from simulators.caller import Cough, HangUp, Interrupt, Murmur, Play, Press, Say, Script, StaySilent, Step, WaitForAgent
from simulators.carrier import Plan
from simulators.scripts import voicemail
from simulators.tool_calls import Answer, Wanted
from simulators.web import LocalServer
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

LONG = "We are open every day of the week. " * 6
GREETING = "hello this is maria i am busy and can not come to the phone please send a message and i will call you"
"""In words the shipped Whisper knows. A short first sentence and a breath would sound like a person."""


async def log_of(world: World, *steps: Step, **config: object) -> dict[str, Any]:
    """The log of a call whose callee does this."""
    world.next_caller(*steps)
    return await world.customer.final_log((await world.customer.call(**config))["_id"])


def said(log: Mapping[str, Any], role: str) -> list[str]:
    """What one side said."""
    return [turn["content"] for turn in log["conversationHistory"] if turn["role"] == role]


async def test_a_murmur_does_not_stop_the_agent_and_a_cough_costs_no_word(world: World) -> None:
    steps = (Murmur("okay", after_s=1.0), StaySilent(2.0), Cough(seconds=0.7, is_hacking=True), WaitForAgent())
    log = await log_of(world, *steps, HangUp(), firstMessage=LONG)
    assert said(log, "assistant")[0] == LONG.strip()


async def test_words_over_the_greeting_are_kept_and_answered(world: World) -> None:
    steps = (Interrupt("what are your opening hours", after_s=0.3), WaitForAgent(), HangUp())
    log = await log_of(world, *steps, firstMessage=LONG)
    (first, *_) = said(log, "user")
    assert "opening hours" in first
    assert "nine in the morning" in said(log, "assistant")[-1]


async def test_keys_are_a_turn(world: World) -> None:
    log = await log_of(world, WaitForAgent(), Press("42#"), StaySilent(0.5), WaitForAgent(), HangUp())
    assert said(log, "user") == ["[keypad: 4 2]"]


async def test_nobody_there_is_asked_and_then_said_goodbye_to(world: World) -> None:
    silence = {"repromptAfterS": 2, "reprompts": 1, "reprompt": "Hello?", "goodbye": "Goodbye then."}
    log = await log_of(world, StaySilent(40), firstMessage="Hi.", silence=silence)
    assert said(log, "assistant") == ["Hi.", "Hello?", "Goodbye then."]
    assert (log["status"], log["endReason"]) == ("completed", "silence")


async def test_what_is_no_speech_is_no_words(world: World) -> None:
    calls = []
    for sound in ("white", "ringback_us", "hold_music"):
        world.next_caller(WaitForAgent(), Play(sound, 8.0), HangUp())
        calls.append(await world.customer.call())
    logs = [await world.customer.final_log(call["_id"]) for call in calls]
    assert [said(log, "user") for log in logs] == [[], [], []]


async def test_a_machine_gets_its_message_after_the_beep(world: World) -> None:
    world.carrier.plans.add(Plan(voicemail(GREETING, listens_s=8.0), dial_s=0.1, ring_s=0.2))
    config = {"action": "leave-message", "message": "This is the clinic. Please call us back."}
    call = await world.customer.call(voicemail=config)
    log = await world.customer.final_log(call["_id"])
    assert (log["answeredBy"], log["endReason"]) == ("machine-voicemail", "voicemail_left")
    assert said(log, "assistant") == [config["message"]]
    report = await world.report(call)
    beep = max(play.end for play in report.utterances if play.kind != "say")
    assert report.agent_speech[0][0] > beep


@asynccontextmanager
async def a_shop(answers: Sequence[Mapping[str, object]]) -> AsyncIterator[tuple[str, list[object]]]:
    """An HTTP function on loopback: its address, and what it was asked."""
    asked: list[object] = []

    async def answer(request: Request) -> JSONResponse:
        asked.append(await request.json())
        await asyncio.sleep(0.3)
        return JSONResponse(answers[len(asked) - 1])

    server = LocalServer(Starlette(routes=[Route("/tables", answer, methods=["POST"])]), port=0)
    async with server:
        yield f"{server.url}/tables", asked


async def test_a_function_is_called_and_its_answer_told_before_the_agent_hangs_up(world: World) -> None:
    def answer(messages: Sequence[Mapping[str, object]]) -> str | Answer:
        last = messages[-1]
        if last["role"] == "tool":
            return Answer(f"Tuesday has {str(last['content']).count('pm')} free times. Goodbye.", (Wanted("end_call"),))
        return Answer("", (Wanted("free_tables", {"day": "tuesday"}),))

    world.llm.answer = answer
    async with a_shop([{"free": ["2 pm", "3 pm"]}]) as (url, asked):
        function = {
            "name": "free_tables",
            "description": "The free tables of a day.",
            "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
            "url": url,
            "filler": "Let me look.",
        }
        tools = {"functions": [function], "builtIn": ["end_call"]}
        log = await log_of(world, WaitForAgent(), Say("tuesday please"), StaySilent(30), tools=tools)
    assert asked == [{"day": "tuesday"}]
    assert said(log, "assistant")[-1] == "Let me look. Tuesday has 2 free times. Goodbye."
    assert (log["status"], log["endReason"]) == ("completed", "agent_ended")


async def test_a_caller_is_transferred_by_the_carriers_own_flow(world: World) -> None:
    world.llm.answer = lambda _: Answer("I will put you through.", (Wanted("transfer_call"),))
    tools = {"builtIn": ["transfer_call"], "transferTo": "+14155550123"}
    phone = await world.customer.phone(await world.customer.agent(tools=tools))
    addresses = (await world.customer.get("GET", "/phones"))["phones"][0]
    script = Script((WaitForAgent(), Say("i want to talk to a person"), StaySilent(30)))
    done = await world.carrier.call_in(
        world.here(addresses["incomingUrl"]),
        script,
        from_number="+919123456789",
        to_number=phone["number"],
        connect_url=world.here(addresses["connectUrl"]),
    )
    assert done.dialled == ("+14155550123",)
