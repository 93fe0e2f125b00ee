"""The carrier, its caller and its ear against a platform in miniature, over real sockets in real time."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from simulators.call import Recorder, converse
from simulators.caller import Cough, HangUp, Interrupt, Press, Say, Script, StaySilent, WaitForAgent
from simulators.carrier import Account, Carrier, CarrierCall, NotConnected, Plan
from simulators.exotel_calls import RATE_LIMITED, Outcome
from simulators.exotel_frames import StreamIds
from simulators.sound import level_dbfs, to_pcm
from tests.simulators.platform_peer import Peer

pytestmark = pytest.mark.integration

IDS = StreamIds("stream", "call", "demo", "+919876543210", "+918047491899")
ORDER = {
    "From": "+919876543210",
    "CallerId": "+918047491899",
    "StreamType": "bidirectional",
    "StatusCallbackEvents[0]": "ringing",
    "StatusCallbackEvents[1]": "answered",
    "StatusCallbackEvents[2]": "terminal",
    "StatusCallbackContentType": "application/json",
}
_LATE_S = 0.25
"""How late a busy machine may be."""
HELLO = Script((Say("Hello"), StaySilent(0.2)))


def quick(script: Script = HELLO, outcome: Outcome = Outcome.ANSWERED) -> Plan:
    """A call that hardly rings."""
    return Plan(script, outcome, dial_s=0.01, ring_s=0.02)


def sound(seconds: float, rate_hz: int = 8_000) -> str:
    """A media message of a tone."""
    samples = 0.2 * np.sin(np.arange(round(seconds * rate_hz)) * 2 * np.pi * 440 / rate_hz)
    payload = base64.b64encode(to_pcm(samples.astype(np.float32))).decode()
    return json.dumps({"event": "media", "stream_sid": "stream", "media": {"payload": payload}})


def mark(name: str) -> str:
    """A mark message."""
    return json.dumps({"event": "mark", "stream_sid": "stream", "mark": {"name": name}})


async def listen(peer: Peer, socket: ServerConnection) -> None:
    """Take every frame until the caller hangs up."""
    await peer.next_frame(socket, "stop")


async def close_soon(peer: Peer, socket: ServerConnection) -> None:
    """Hang up after a moment of the caller's audio."""
    for _ in range(3):
        await peer.next_frame(socket, "media")


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    async with Carrier(quick()) as carrier:
        yield carrier


async def order(carrier: Carrier, peer: Peer, **fields: str) -> httpx.Response:
    """Place a call as the platform would."""
    account = carrier.account
    form = ORDER | {"StreamUrl": peer.media_url, "StatusCallback": f"{peer.url}/status"} | fields
    async with httpx.AsyncClient(auth=(account.api_key, account.api_token)) as client:
        return await client.post(f"{carrier.url}/v1/Accounts/{account.sid}/Calls/connect.json", data=form)


async def finished(carrier: Carrier, response: httpx.Response) -> CarrierCall:
    """The ordered call, once it is over."""
    call = carrier.calls[response.json()["Call"]["Sid"]]
    await asyncio.wait_for(call.ended.wait(), 10)
    return call


async def test_an_ordered_call_rings_is_answered_talks_and_ends(carrier: Carrier) -> None:
    async with Peer(listen) as peer:
        response = await order(carrier, peer, CustomField="mine")
        assert response.json()["Call"]["Status"] == "in-progress"
        call = await finished(carrier, response)
    assert [(body["EventType"], body["Status"]) for body in peer.callbacks] == [
        ("ringing", "in-progress"),
        ("answered", "in-progress"),
        ("terminal", "completed"),
    ]
    assert peer.callbacks[2]["CustomField"] == "mine"
    assert [frame["event"] for frame in peer.frames[:3]] == ["connected", "start", "media"]
    assert peer.frames[1]["start"]["call_sid"] == call.state.sid
    assert peer.frames[-1]["stop"]["reason"] == "callended"
    assert call.report is not None
    assert call.report.end_reason == "caller"
    assert [delivery.status for delivery in call.callbacks.deliveries] == [200, 200, 200]


async def test_the_default_callback_is_a_multipart_form_and_the_platform_may_hang_up(carrier: Carrier) -> None:
    carrier.plans.add(quick(Script((StaySilent(5),))))
    async with Peer(close_soon) as peer:
        call = await finished(carrier, await order(carrier, peer, StatusCallbackContentType=""))
    assert set(peer.content_types) == {"multipart/form-data"}
    assert peer.callbacks[-1]["Legs[0][Status]"] == "completed"
    assert call.report is not None
    assert call.report.end_reason == "platform"


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED])
async def test_a_call_that_is_not_answered_only_ends(carrier: Carrier, outcome: Outcome) -> None:
    carrier.plans.add(quick(outcome=outcome))
    async with Peer(listen) as peer:
        await finished(carrier, await order(carrier, peer))
    assert [body["EventType"] for body in peer.callbacks] == ["ringing", "terminal"]
    assert peer.callbacks[-1]["Status"] == outcome
    assert peer.frames == []


async def test_a_lost_callback_never_comes(carrier: Carrier) -> None:
    carrier.plans.add(Plan(HELLO, Outcome.BUSY, dial_s=0.0, ring_s=0.0, lost=frozenset({"terminal"})))
    async with Peer(listen) as peer:
        await finished(carrier, await order(carrier, peer))
    assert [body["EventType"] for body in peer.callbacks] == ["ringing"]


async def test_a_callee_who_lets_it_ring_too_long_did_not_answer(carrier: Carrier) -> None:
    carrier.plans.add(Plan(HELLO, dial_s=0.0, ring_s=60))
    async with Peer(listen) as peer:
        call = await finished(carrier, await order(carrier, peer, TimeOut="0.05"))
    assert call.state.status == "no-answer"


async def test_the_time_limit_ends_the_call(carrier: Carrier) -> None:
    carrier.plans.add(quick(Script((StaySilent(30),))))
    async with Peer(listen) as peer:
        call = await finished(carrier, await order(carrier, peer, TimeLimit="0.3"))
    assert call.report is not None
    assert call.report.end_reason == "time limit"
    assert peer.frames[-1]["stop"]["reason"] == "stopped"


async def test_a_platform_that_refuses_the_socket_fails_the_call(carrier: Carrier) -> None:
    async with Peer(listen) as peer:
        call = await finished(carrier, await order(carrier, peer, StreamUrl="ws://127.0.0.1:9/audio"))
    assert call.state.status == "failed"
    assert peer.callbacks[-1]["Status"] == "failed"


async def test_orders_are_refused_with_a_rest_exception(carrier: Carrier) -> None:
    async with Peer(listen) as peer:
        missing = await order(carrier, peer, CallerId="")
        assert (missing.status_code, missing.json()["RestException"]["Status"]) == (400, 400)
        carrier.refusals.add(RATE_LIMITED)
        limited = await order(carrier, peer)
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
        carrier.account = Account(api_key="another")
        carrier_url = f"{carrier.url}/v1/Accounts/demo/Calls/connect.json"
        async with httpx.AsyncClient(auth=("demo-key", "demo-token")) as client:
            stranger = await client.post(carrier_url, data=ORDER)
        assert stranger.json()["RestException"]["Code"] == "UNAUTHORIZED"


async def test_details_can_be_read_after_the_call(carrier: Carrier) -> None:
    async with Peer(listen) as peer:
        call = await finished(carrier, await order(carrier, peer))
    account = carrier.account
    async with httpx.AsyncClient(auth=(account.api_key, account.api_token)) as client:
        base = f"{carrier.url}/v1/Accounts/{account.sid}/Calls"
        details = await client.get(f"{base}/{call.state.sid}.json", params={"details": "true"})
        unknown = await client.get(f"{base}/unknown.json")
        listed = await client.get(f"{base}.json", params={"PageSize": "1"})
        assert (await client.get(f"{base}.json", params={"PageSize": "101"})).status_code == 400
        assert (await client.get(f"{carrier.url}/v1/Accounts/other/Calls.json")).status_code == 401
    assert details.json()["Call"]["Details"]["Leg1Status"] == "completed"
    assert unknown.status_code == 404
    assert [entry["Sid"] for entry in listed.json()["Calls"]] == [call.state.sid]


async def test_an_inbound_call_is_announced_and_connected_at_16_khz(carrier: Carrier) -> None:
    async with Peer(listen) as peer:
        call = await carrier.call_in(f"{peer.url}/incoming", HELLO, from_number="+1555", to_number="+1666")
        with pytest.raises(NotConnected):
            await carrier.call_in(f"{peer.url}/deaf", HELLO, from_number="+1555", to_number="+1666")
    assert peer.callbacks[0] == {"CallSid": call.state.sid, "From": "+1555", "To": "+1666", "Direction": "inbound"}
    assert peer.frames[1]["start"]["media_format"]["sample_rate"] == "16000"
    assert len(base64.b64decode(peer.frames[2]["media"]["payload"])) == 3_200


async def test_the_callers_audio_comes_every_100_ms_without_drift() -> None:
    arrivals: list[float] = []

    async def clock(peer: Peer, socket: ServerConnection) -> None:
        for _ in range(20):
            await peer.next_frame(socket, "media")
            arrivals.append(time.monotonic())

    async with Peer(clock) as peer:
        report = await converse(peer.media_url, IDS, Script((StaySilent(30),)))
    assert 2.0 <= arrivals[-1] - report.origin < 2.0 + _LATE_S
    media = [frame["media"] for frame in peer.frames if frame["event"] == "media"]
    assert [part["chunk"] for part in media] == [str(index) for index in range(1, 21)]
    assert {len(base64.b64decode(part["payload"])) for part in media} == {1_600}


async def test_marks_are_echoed_when_played_and_clear_drops_the_rest(tmp_path: Path) -> None:
    times: dict[str, float] = {}

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.next_frame(socket, "start")
        times["start"] = time.monotonic()
        for message in (sound(0.2), mark("first"), sound(0.2), mark("second"), sound(4.0), mark("never")):
            await socket.send(message)
        for name in ("first", "second"):
            assert (await peer.next_frame(socket, "mark"))["mark"]["name"] == name
            times[name] = time.monotonic()
        await socket.send(json.dumps({"event": "clear", "stream_sid": "stream"}))
        await socket.send(mark("after"))
        assert (await peer.next_frame(socket, "mark"))["mark"]["name"] == "after"
        await peer.next_frame(socket, "stop")

    async with Peer(talk) as peer:
        script = Script((StaySilent(1.0),))
        report = await converse(peer.media_url, IDS, script, recorder=Recorder(tmp_path))
    assert 0.2 <= times["first"] - times["start"] < 0.2 + _LATE_S
    assert 0.4 <= times["second"] - times["start"] < 0.4 + _LATE_S
    assert [mark.played_at is not None for mark in report.marks] == [True, True, False, True]
    assert report.heard is not None
    assert 0.39 < np.count_nonzero(report.heard) / 8_000 < 0.4 + _LATE_S
    assert report.violations == ()
    assert report.recording == tmp_path / "call.wav"
    assert report.recording.exists()


async def test_messages_against_the_chunk_rule_and_garbage_are_counted() -> None:
    async def misbehave(peer: Peer, socket: ServerConnection) -> None:
        await socket.send(sound(0.1))
        await socket.send(sound(0.2001))
        await socket.send("{}")
        await socket.send(b"\x00\x01")
        await peer.next_frame(socket, "stop")

    async with Peer(misbehave) as peer:
        report = await converse(peer.media_url, IDS, Script((StaySilent(0.3),)))
    assert [violation.problem for violation in report.violations] == ["too small", "not a multiple of 320"]
    assert report.garbled == 2


async def test_a_caller_waits_speaks_interrupts_presses_coughs_and_hangs_up() -> None:
    async def agent(peer: Peer, socket: ServerConnection) -> None:
        await peer.next_frame(socket, "start")
        await socket.send(sound(0.4))
        await peer.next_frame(socket, "dtmf")
        await socket.send(sound(3.0))
        await peer.next_frame(socket, "stop")

    steps = (
        WaitForAgent(quiet_s=0.3),
        Say("Hello there"),
        Press("5"),
        Interrupt("wait", after_s=0.5),
        Cough(),
        HangUp(),
        Say("never"),
    )
    async with Peer(agent) as peer:
        report = await converse(peer.media_url, IDS, Script(steps))
    assert [(utterance.kind, utterance.text) for utterance in report.utterances] == [
        ("say", "Hello there"),
        ("interrupt", "wait"),
        ("noise", "cough"),
    ]
    (first, second, _), (opening, reply) = report.utterances, report.agent_speech
    assert 0.28 < first.start - opening[1] < 0.3 + _LATE_S
    assert 0.48 < second.start - reply[0] < 0.5 + _LATE_S
    assert report.replies[0].arrived_s is not None
    assert report.missed == ()
    assert report.said is not None
    before = report.said[: int((first.start - report.origin) * 8_000)]
    during = report.said[int((first.start - report.origin) * 8_000) : int((first.end - report.origin) * 8_000)]
    assert level_dbfs(before) == pytest.approx(-65, abs=2)
    assert level_dbfs(during) == pytest.approx(-20, abs=1)


async def test_a_caller_who_waits_in_vain_goes_on() -> None:
    async with Peer(listen) as peer:
        script = Script((WaitForAgent(timeout_s=0.1), Interrupt("hello", timeout_s=0.1), Cough(0.1, timeout_s=0.1)))
        report = await converse(peer.media_url, IDS, script)
    assert report.missed == ("wait for agent", "interrupt", "cough")
    assert len(report.utterances) == 2
    assert report.replies[0].arrived_s is None
