"""GET /calls/:id/timeline, as a shape and over HTTP."""

from typing import Any

import pytest

from models.call import BargeIn, CallStatus, CostBreakdown, SessionId, Turn, TurnTimings, Usage
from models.document import Id, new_id
from serve_app.resources.timeline import EXAMPLE, TimelineResource
from services.timeline import timeline
from tests.documents import HEARD, NOW, a_call
from tests.resources.conftest import Client

SAID = Turn(
    index=1,
    role="user",
    content="I would like to move my appointment.",
    timestamp=NOW,
    timings=HEARD,
)
ANSWER = Turn(
    index=2,
    role="assistant",
    content="Of course. Which day would",
    timestamp=NOW,
    interrupted=True,
    timings=TurnTimings(
        speech_end_ms=5200,
        speculative_text_ms=5330,
        final_text_ms=5560,
        thinking_start_ms=5332,
        first_token_ms=5632,
        first_clause_ms=5645,
        voice_start_ms=5646,
        first_audio_ms=5796,
        playback_start_ms=5800,
        playback_end_ms=7400,
        barge_ins=(
            BargeIn(at_ms=7000, decision="duck", reason="speech"),
            BargeIn(at_ms=7400, decision="cut", reason="words"),
        ),
    ),
)
OLD = {"speechEndMs": 5200, "finalTextMs": 5760, "firstTokenMs": 5700, "firstAudioMs": 5920, "playbackStartMs": 5921}


def test_the_documented_example_is_what_such_a_call_is_shown_as() -> None:
    call = a_call(Id(EXAMPLE["callId"]), status=CallStatus.COMPLETED, started_at=NOW, turns=[SAID, ANSWER])
    own = {"id": EXAMPLE["callId"], "session_id": SessionId(EXAMPLE["sessionId"])}
    shown = TimelineResource.of(timeline(call.model_copy(update=own))).model_dump(by_alias=True, mode="json")
    assert shown == EXAMPLE | {"answeredAt": "2026-01-15T10:30:00.000Z"}


def test_what_is_not_known_is_null_and_not_left_out() -> None:
    old = Turn(index=0, role="assistant", content="Hello", timestamp=NOW, timings=TurnTimings.model_validate(OLD))
    shown = TimelineResource.of(timeline(a_call(new_id(), turns=[old]))).model_dump(by_alias=True, mode="json")
    (turn,) = shown["turns"]
    assert {"name": "voice", "startMs": None, "endMs": 5920} in turn["spans"]
    assert (turn["startMs"], turn["endMs"], turn["moments"]["firstClauseMs"]) == (5921, None, None)
    assert (turn["latency"]["sttMs"], turn["latency"]["totalMs"]) == (None, 721)


@pytest.mark.integration
class TestOverHttp:
    async def test_a_call_is_shown_as_a_waterfall(self, client: Client) -> None:
        call = await client.call()
        path = f"/calls/{call['_id']}/timeline"
        begun = await self.shown(client, path)
        assert (begun["callId"], begun["sessionId"], begun["turns"]) == (call["_id"], call["sessionId"], [])
        assert "answeredAt" in begun
        calls = client.house.stores.calls
        await calls.advance(call["_id"], CallStatus.IN_PROGRESS, NOW)
        for turn in (SAID, ANSWER):
            await calls.append_turn(call["_id"], turn, Usage(), CostBreakdown(), NOW)
        told = await self.shown(client, path)
        assert told["answeredAt"] == "2026-01-15T10:30:00.000Z"
        assert (told["turns"], told["summary"]) == (EXAMPLE["turns"], EXAMPLE["summary"])

    async def test_a_call_of_before_is_shown_with_what_is_known_of_it(self, client: Client) -> None:
        call = await client.call()
        stored = ANSWER.model_dump(by_alias=True) | {"timings": OLD}
        stored.pop("revision")
        owner = client.house.principal.organization_id
        await client.house.stores.calls.change(owner, call["_id"], {"turns": [stored]}, NOW)
        (turn,) = (await self.shown(client, f"/calls/{call['_id']}/timeline"))["turns"]
        assert (turn["latency"]["totalMs"], turn["bargeIns"], turn["gateRejections"]) == (721, [], 0)

    async def test_nobody_sees_another_tenants_timeline(self, client: Client) -> None:
        call = await client.call()
        await client.become(await client.house.tenant())
        refusals = [
            await client.ask("GET", f"/calls/{call_id}/timeline", 404)
            for call_id in (call["_id"], call["sessionId"], new_id(), "x")
        ]
        assert {refusal["error"]["message"] for refusal in refusals} == {"Call not found"}

    async def test_who_picked_up_is_shown_once_it_is_known(self, client: Client) -> None:
        call = await client.call()
        assert "answeredBy" not in (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]
        await client.house.stores.calls.save_answered_by(call["_id"], "human", NOW)
        assert (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]["answeredBy"] == "human"
        (listed,) = (await client.ask("GET", "/calls"))["data"]["calls"]
        assert listed["answeredBy"] == "human"

    async def shown(self, client: Client, path: str) -> dict[str, Any]:
        """The timeline at a path."""
        told: dict[str, Any] = (await client.ask("GET", path))["data"]["timeline"]
        return told
