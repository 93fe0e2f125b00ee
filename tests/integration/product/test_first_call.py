"""A whole call on real parts: carrier socket, two replicas, call actor, Whisper, local voice, store, Socket.IO."""

import wave
from urllib.parse import urlsplit

import pytest

from simulators.caller import HangUp, Interrupt, Script, StaySilent, WaitForAgent
from simulators.carrier import Plan
from simulators.exotel_calls import Outcome
from tests.integration.product.customer import GREETING, sign_up, watch
from tests.integration.product.world import BOOKING, World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


async def test_a_call_is_heard_answered_shown_charged_recorded_and_logged(world: World) -> None:
    call = await world.customer.call()
    watcher = await watch(world.url, world.customer.token, call["sessionId"])
    events = await watcher.events()
    log = await world.customer.final_log(call["_id"])

    assert [event["transport"] for event in events if event["event"] == "opened"] == ["polling"]
    assert [event["transport"] for event in events if event["event"] == "upgraded"] == ["websocket"]
    kinds = [event["event"] for event in events if event["event"].startswith("call:")]
    assert kinds[:2] == ["call:started", "call:connected"]
    assert kinds.count("call:connected") == 1
    assert kinds[-1] == "call:ended"
    shown = [(e["data"]["role"], e["data"]["text"]) for e in events if e["event"] == "call:transcript"]
    stored = [(turn["role"], turn["content"]) for turn in log["conversationHistory"]]
    assert shown == stored
    assert stored[0] == ("assistant", GREETING)
    assert [role for role, _ in stored] == ["assistant", "user", "assistant", "user", "assistant"]
    assert "appointment" in stored[1][1].lower()
    assert "tuesday" in stored[3][1].lower()

    assert log["status"] == "completed"
    assert log["costBreakdown"]["total"] > 0
    me = await world.customer.get("GET", "/auth/me")
    assert me["user"]["credits"] == pytest.approx(5.0 - log["costBreakdown"]["total"], abs=1e-6)

    with wave.open(str(world.recording(call["_id"]))) as audio:
        assert (audio.getnchannels(), audio.getframerate()) == (2, 8000)
        assert audio.getnframes() / 8000 == pytest.approx(log["durationSec"], abs=2.5)


async def test_a_dashboard_sees_nothing_of_somebody_elses_call(world: World) -> None:
    stranger = await sign_up(world.customer.http, "stranger")
    world.next_caller(StaySilent(60))
    call = await world.customer.call()
    watcher = await watch(world.url, stranger.token, call["sessionId"], "--timeout", "20")
    kinds = [event["event"] for event in await watcher.events() if event["event"].startswith("call:")]
    assert kinds == ["call:error"]
    assert (await stranger.ask("GET", f"/calls/{call['_id']}")).status_code == 404
    assert (await stranger.ask("POST", f"/calls/{call['sessionId']}/end", {})).status_code == 404
    await world.until_status(call["_id"], "in-progress")
    await world.customer.ask("POST", f"/calls/{call['sessionId']}/end", {"reason": "user_requested"})
    await world.customer.final_log(call["_id"])


async def test_an_interruption_keeps_only_what_was_heard(world: World) -> None:
    long = "I will now read you our opening hours, and I will take my time, because we have a great many of them. "
    world.next_caller(Interrupt("wait stop", after_s=1.5), WaitForAgent(), HangUp())
    call = await world.customer.call(firstMessage=long * 3)
    log = await world.customer.final_log(call["_id"])
    first, second = log["conversationHistory"][:2]
    assert (first["role"], second["role"]) == ("assistant", "user")
    assert long.startswith(first["content"])
    assert 3 <= len(first["content"].split()) < len(long.split())
    report = await world.report(call)
    assert report.clears
    assert not report.violations


async def test_an_inbound_call_reaches_the_agent_of_its_number(world: World) -> None:
    phone = await world.customer.phone(await world.customer.agent())
    webhook = urlsplit((await world.customer.get("GET", "/phones"))["phones"][0]["incomingUrl"])
    local = f"{world.url}{webhook.path}?{webhook.query}"
    done = await world.carrier.call_in(local, Script(BOOKING), from_number="+919123456789", to_number=phone["number"])
    assert done.report is not None
    assert done.report.agent_speech
    (listed,) = (await world.customer.get("GET", "/calls"))["calls"]
    assert listed["direction"] == "inbound"
    log = await world.customer.final_log(listed["_id"])
    assert log["fromPhone"] == "+919123456789"
    assert "user" in [turn["role"] for turn in log["conversationHistory"]]


async def test_a_call_can_be_ended_from_outside_once(world: World) -> None:
    world.next_caller(StaySilent(60))
    call = await world.customer.call()
    await world.until_status(call["_id"], "in-progress")
    ended = await world.customer.ask("POST", f"/calls/{call['sessionId']}/end", {"reason": "user_requested"})
    assert ended.json()["data"] == {"sessionId": call["sessionId"], "status": "ended"}
    assert (await world.customer.final_log(call["_id"], within_s=10))["status"] == "completed"
    again = await world.customer.ask("POST", f"/calls/{call['sessionId']}/end", {})
    assert again.status_code == 409


async def test_nobody_answering_is_a_final_log_without_cost(world: World) -> None:
    world.carrier.plans.add(Plan(Script(BOOKING), outcome=Outcome.BUSY, dial_s=0.1, ring_s=0.2))
    call = await world.customer.call()
    log = await world.customer.final_log(call["_id"], within_s=15)
    assert log["status"] == "busy"
    assert log["costBreakdown"]["total"] == 0
