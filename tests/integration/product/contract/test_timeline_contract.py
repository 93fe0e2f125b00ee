"""/calls/:id/timeline, and the live events beside it, over HTTP and Socket.IO."""

from typing import Any

import pytest

from simulators.caller import HangUp, Say, WaitForAgent
from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING
from tests.integration.product.contract.document import LATENCIES, SPANS, TIMELINE
from tests.integration.product.contract.shapes import Shape
from tests.integration.product.customer import GREETING, watch
from tests.integration.product.world import BOOKING, World

pytestmark = pytest.mark.integration

DATA = Shape({"timeline": TIMELINE})
NOBODYS = "64f8a1b2c3d4e5f6a7b8c9d3"


async def shown(client: Client, call: dict[str, Any]) -> Any:
    """The timeline of a call."""
    return (await client.answer("GET", f"/calls/{call['_id']}/timeline", data=DATA))["timeline"]


async def test_the_timeline_says_where_the_time_of_each_answer_went(world: World) -> None:
    client = Client(world.customer.http, world.customer.token)
    world.next_caller(WaitForAgent(), Say("tuesday please"), WaitForAgent(), HangUp())
    call = await world.customer.call()
    events = await (await watch(world.url, world.customer.token, call["sessionId"])).events()
    log = await world.customer.final_log(call["_id"])
    told = await shown(client, call)
    assert (told["callId"], told["sessionId"], told["answeredAt"]) == (call["_id"], call["sessionId"], log["startedAt"])
    assert [(turn["role"], turn["text"]) for turn in told["turns"]] == [
        (turn["role"], turn["content"]) for turn in log["conversationHistory"]
    ]
    greeting, caller, answer = told["turns"]
    assert (greeting["text"], greeting["latency"]["totalMs"]) == (GREETING, None)
    moments = answer["moments"]
    assert moments["speechEndMs"] == caller["moments"]["speechEndMs"]
    assert moments["speechEndMs"] < moments["finalTextMs"] <= moments["playbackStartMs"]
    assert moments["firstTokenMs"] <= moments["firstAudioMs"] <= moments["playbackStartMs"]
    spans = [span for span in answer["spans"] if span["startMs"] is not None]
    assert all(span["startMs"] <= span["endMs"] for span in spans)
    assert {"endpointing", "toCarrier"} <= {span["name"] for span in spans} <= set(SPANS)
    total = moments["playbackStartMs"] - moments["speechEndMs"]
    assert answer["latency"]["totalMs"] == total
    assert told["summary"]["turns"] == 3
    assert told["summary"]["latencyMs"] == {"p50": total, "p95": total, "max": total}

    metrics = [event["data"] for event in events if event["event"] == "call:metrics"]
    assert {data["turn"] for data in metrics} <= {0, 2}
    assert metrics[-1]["turn"] == 2
    assert metrics[-1]["latency"]["userStopToFirstByteMs"] == total
    assert metrics[-1]["latency"].keys() == {"userStopToFirstByteMs", *LATENCIES} - {"totalMs"}
    assert metrics[-1]["timings"]["playbackStartMs"] == moments["playbackStartMs"]


async def test_a_dashboard_that_asks_sees_words_before_they_are_final(world: World) -> None:
    world.next_caller(*BOOKING)
    call = await world.customer.call()
    watchers = [
        await watch(world.url, world.customer.token, call["sessionId"], *options) for options in (("--interim",), ())
    ]
    curious, plain = [
        [event["data"] for event in await watcher.events() if event["event"] == "call:transcript"]
        for watcher in watchers
    ]
    assert all(line["isFinal"] for line in plain)
    assert [line for line in curious if line["isFinal"]] == plain
    assert {line["role"] for line in curious if not line["isFinal"]} == {"user"}
    latest = -1
    for line in curious:
        if line["role"] == "user":
            assert line["revision"] > latest
            latest = -1 if line["isFinal"] else line["revision"]


async def test_a_call_that_still_rings_has_an_empty_timeline(client: Client, carrier: Carrier) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    told = await shown(client, call)
    assert (told["callId"], told["answeredAt"], told["turns"]) == (call["_id"], None, [])
    assert told["summary"]["latencyMs"] == {"p50": None, "p95": None, "max": None}
    assert set(told["summary"]["bargeIns"].values()) == {0}


@pytest.mark.parametrize("call_id", [NOBODYS, "x", "sess_x"])
async def test_the_timeline_of_a_call_that_is_not_there_is_not_found(client: Client, call_id: str) -> None:
    assert (await client.refusal(404, "GET", f"/calls/{call_id}/timeline"))["message"] == "Call not found"
