"""Vendors that fail and carriers that talk nonsense: what the caller hears, and what other calls notice."""

import os

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.call_session import prompt
from models.call import SessionId
from services.call_addresses import CallAddresses
from simulators.behaviour import Behaviour, Fault
from simulators.caller import HangUp, Say, Script, WaitForAgent
from simulators.carrier import Plan
from tests.integration.product.world import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ONE_QUESTION = (WaitForAgent(), Say("yes please"), WaitForAgent(quiet_s=4, timeout_s=20), HangUp())
"""An answer that is late is announced first: only a longer silence is the end of it."""


def said_by(log: dict[str, list[dict[str, str]]], role: str) -> list[str]:
    return [turn["content"] for turn in log["conversationHistory"] if turn["role"] == role]


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(Behaviour(fault=Fault.STALL), id="never a first token"),
        pytest.param(Behaviour(fault=Fault.BROKEN), id="server error"),
        pytest.param(Behaviour(fault=Fault.CUT), id="cut before the first token"),
    ],
)
async def test_a_failing_language_model_is_apologised_for(world: World, behaviour: Behaviour) -> None:
    world.next_caller(*ONE_QUESTION)
    world.llm.behaviours.default = behaviour
    call = await world.customer.call()
    log = await world.customer.final_log(call["_id"])
    assert prompt.REPLY_FAILED in said_by(log, "assistant")
    assert log["status"] == "completed"


async def test_one_failure_of_the_language_model_is_retried_and_not_heard(world: World) -> None:
    world.next_caller(*ONE_QUESTION)
    world.llm.behaviours.add(Behaviour(fault=Fault.BROKEN))
    call = await world.customer.call()
    log = await world.customer.final_log(call["_id"])
    assert prompt.REPLY_FAILED not in said_by(log, "assistant")
    assert len(said_by(log, "assistant")) == 2


async def test_when_the_voice_fails_the_local_voice_speaks(world: World) -> None:
    world.next_caller(*ONE_QUESTION)
    world.tts.behaviours.default = Behaviour(fault=Fault.BROKEN)
    call = await world.customer.call(voice={"provider": "elevenlabs", "voiceId": "en-us+f2"})
    log = await world.customer.final_log(call["_id"])
    report = await world.report(call)
    assert len(said_by(log, "assistant")) == 2
    assert sum(end - start for start, end in report.agent_speech) > 2.0


async def test_a_call_goes_on_while_others_send_garbage(world: World) -> None:
    """Nonsense before a start, after a start, on a foreign session and with a wrong token."""
    world.carrier.plans.add(Plan(Script((HangUp(),)), dial_s=0.1, ring_s=30.0))
    target = await world.customer.call()
    good = await world.customer.call()
    address = CallAddresses(world.settings).media(SessionId(target["sessionId"]))
    local = address.replace(world.settings.media_base_url, world.url.replace("http", "ws"))

    async with connect(local) as socket:
        await send_nonsense(socket)
        second = await close_code(local)
        assert second in (1008, 1013)
        foreign = local.replace(target["sessionId"], good["sessionId"])
        assert await close_code(foreign) == 1008
        assert await close_code(local.split("?")[0]) == 1008

    log = await world.customer.final_log(good["_id"])
    assert log["status"] == "completed"
    assert len(said_by(log, "user")) == 2
    assert (await world.customer.final_log(target["_id"], within_s=30))["endedAt"]


async def send_nonsense(socket: ClientConnection) -> None:
    """Binary noise, broken and foreign JSON, audio before its start, a very long message."""
    await socket.send(os.urandom(5000))
    for text in ("", "{", "[]", "null", '{"event":"media"}', '{"event":"start","start":7}', '{"event":["x"]}'):
        await socket.send(text)
    await socket.send('{"event":"media","media":{"payload":"' + "A" * 900_000 + '"}}')


async def close_code(address: str) -> int | None:
    """What the edge closes an unwelcome socket with."""
    try:
        async with connect(address) as socket:
            await socket.wait_closed()
            return socket.close_code
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
