"""A whole call's log, money and events, against the real database and Redis."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from models.call import CallStatus, CostBreakdown, Progress, Turn, TurnTimings, Usage
from models.document import as_iso
from models.metrics import Metric
from services import meters
from services.call_log import CallLog
from stores.events import Events, interim_room, room
from tests.documents import NOW, a_turn
from tests.money import STEP, a_writer
from tests.services.conftest import House, place

pytestmark = pytest.mark.integration


async def test_a_whole_call_is_logged_charged_and_told(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await house.services.carriage.claim(call.session_id, "actor", NOW)
    await log.connected(call, NOW)
    await log.connected(call, NOW + timedelta(seconds=1))
    usage, cost = Usage(stt_ms=1000), CostBreakdown(stt=100, telephony=300)
    await log.record_turn(call, a_turn(0), usage, cost, NOW)
    await log.record_turn(call, a_turn(0), usage, cost, NOW)
    await log.save_usage(call, usage, CostBreakdown(stt=200, telephony=600), NOW)
    assert [await log.cover(call, total, NOW) for total in (STEP + 800, STEP + 800, 1_000_001)] == [True, True, False]
    assert (await house.balance(), await house.held()) == (1_000_000, STEP + 800)
    await log.report_error(call, "STT_ERROR", "Speech recognition failed", NOW)
    total = CostBreakdown(stt=200, telephony=700)
    end = NOW + timedelta(seconds=330)
    ends = [
        log.finish(call, status=CallStatus.COMPLETED, reason=reason, usage=usage, cost=total, recording=None, now=end)
        for reason in ("caller", "sweeper")
    ]
    assert sum(finished is not None for finished in await asyncio.gather(*ends)) == 1
    await log.save_usage(call, usage, CostBreakdown(stt=9999), end)
    assert not await log.cover(call, 2 * STEP, end)
    assert (await house.balance(), await house.held()) == (999_100, 0)
    connected, line, again, problem, ended = (await house.heard(6))[1:]
    at = as_iso(NOW)
    assert connected == (
        "call:connected",
        {"sessionId": call.session_id, "status": "in-progress", "timestamp": at},
    )
    assert line == (
        "call:transcript",
        {
            "sessionId": call.session_id,
            "role": "user",
            "text": "Hello",
            "timestamp": at,
            "isFinal": True,
            "revision": 0,
        },
    )
    assert again == line
    failure = {"code": "STT_ERROR", "message": "Speech recognition failed"}
    assert problem == ("call:error", {"sessionId": call.session_id, "error": failure})
    over = {"sessionId": call.session_id, "status": "completed", "duration": 330, "timestamp": as_iso(end)}
    assert ended == ("call:ended", over)


async def test_an_answer_is_followed_by_its_metrics(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    timings = TurnTimings(speech_end_ms=5200, final_text_ms=5560, first_token_ms=5630, playback_start_ms=5800)
    answer = Turn(index=1, role="assistant", content="Of course.", timestamp=NOW, timings=timings)
    await log.record_turn(call, answer, Usage(), CostBreakdown(), NOW)
    (_, line), (event, metrics) = (await house.heard(3))[1:]
    assert (line["role"], line["isFinal"]) == ("assistant", True)
    assert (event, metrics["sessionId"], metrics["turn"]) == ("call:metrics", call.session_id, 1)
    assert metrics["timings"]["playbackStartMs"] == 5800
    assert metrics["latency"]["userStopToFirstByteMs"] == 600


async def test_partial_texts_go_to_those_who_asked_and_are_not_stored(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await log.tell_partial(call, "I would like", 3, NOW)
    assert await asyncio.wait_for(house.told.get(), 5) == (
        room(call.session_id),
        "call:started",
        {"sessionId": call.session_id, "status": "initiated", "timestamp": as_iso(NOW)},
    )
    assert await asyncio.wait_for(house.told.get(), 5) == (
        interim_room(call.session_id),
        "call:transcript",
        {
            "sessionId": call.session_id,
            "role": "user",
            "text": "I would like",
            "timestamp": as_iso(NOW),
            "isFinal": False,
            "revision": 3,
        },
    )
    assert (await house.stores.calls.by_id(call.id)).turns == []


async def test_who_picked_up_is_kept(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await log.answered_by(call, "machine-voicemail", NOW)
    assert (await house.stores.calls.by_id(call.id)).answered_by == "machine-voicemail"


SPEAKING = Progress(text="Of course.", clause="It leaves at nine today.", clause_at=NOW, clause_ms=2000)


@pytest.mark.parametrize(
    ("spoken_for_s", "text"),
    [(-5.0, "Of course."), (0.0, "Of course. It leaves at"), (0.9, "Of course. It leaves at nine today.")],
    ids=["not yet", "just begun", "nearly done"],
)
async def test_what_the_agent_was_saying_when_its_actor_died_is_a_turn(
    house: House, spoken_for_s: float, text: str
) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await log.record_turn(call, a_turn(0), Usage(), CostBreakdown(), NOW)
    await log.save_progress(call, SPEAKING, NOW + timedelta(seconds=spoken_for_s))
    end = NOW + timedelta(seconds=60)
    finished = await log.finish(call, status=CallStatus.FAILED, reason="lost", now=end)
    assert finished is not None
    turn = finished.turns[1]
    assert (turn.index, turn.role, turn.content, turn.interrupted) == (1, "assistant", text, True)
    assert finished.progress is None


async def test_nothing_that_was_not_heard_becomes_a_turn(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await log.save_progress(call, SPEAKING.model_copy(update={"text": ""}), NOW - timedelta(seconds=5))
    finished = await log.finish(call, status=CallStatus.FAILED, reason="lost", now=NOW)
    assert finished is not None
    assert (finished.turns, finished.progress) == ([], None)


async def test_an_actor_that_closes_its_own_log_says_itself_what_was_said(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await log.save_progress(call, SPEAKING, NOW)
    finished = await log.finish(
        call, status=CallStatus.COMPLETED, reason="caller", usage=Usage(), cost=CostBreakdown(), now=NOW
    )
    assert finished is not None
    assert (finished.turns, finished.progress) == ([], None)


async def test_events_that_are_lost_are_counted(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, float]] = []

    class Sink:
        def record(self, metric: Metric, value: float, tags: object) -> None:
            counted.append((metric.name, value))

    monkeypatch.setattr(meters, "_sink", Sink())
    events = Events(f"unix://{tmp_path}/nobody.sock", kept=1)
    log = CallLog(house.stores.calls, a_writer(house.stores), events)
    call = await place(house)
    for _ in range(3):
        await log.started(call, NOW)
    await events.close()
    assert [value for name, value in counted if name == "events_dropped_total"] == [1, 1, 1]
