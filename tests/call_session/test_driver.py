"""The loop of a call, with vendors and a log of the test's own: what goes to the edge, how a call is gone on with."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from actors.call_session import prompt, settling
from models.call import CallStatus, FunctionCall, Progress
from models.metrics import Metric
from providers.roles import Message
from services import meters
from tests.call_session.line import ENOUGH_S, START, Carrier, carried_call, inbound_call, question, run, sound


async def test_the_edge_is_told_which_message_opened_the_stream(tmp_path: Path) -> None:
    carrier = Carrier()
    call = run(inbound_call(), carrier, tmp_path)
    carrier.inbound.put_nowait(START)
    carrier.inbound.put_nowait(sound())
    carrier.leave(is_closed=True)
    await call.over()
    assert carrier.kept == [START]
    assert call.log.entries[0] == "connected"
    assert call.log.end == (CallStatus.COMPLETED, "media_closed")


async def test_an_edge_that_is_gone_without_a_word_fails_the_call(tmp_path: Path) -> None:
    carrier = Carrier()
    call = run(inbound_call(), carrier, tmp_path)
    carrier.inbound.put_nowait(START)
    carrier.leave(is_closed=False)
    await call.over()
    assert call.log.end == (CallStatus.FAILED, "edge_lost")


async def test_a_log_that_cannot_be_closed_keeps_nobody_on_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.call_session.driver.WRITTEN_WITHIN_S", 0.01)
    carrier = Carrier()
    call = run(inbound_call(), carrier, tmp_path)
    call.log.is_there.clear()
    carrier.inbound.put_nowait(START)
    carrier.leave(is_closed=True)
    async with asyncio.timeout(ENOUGH_S):
        await carrier.was_hung_up.wait()
    assert call.log.end is None
    call.log.is_there.set()
    await call.over()
    assert call.log.end == (CallStatus.COMPLETED, "media_closed")


async def test_a_question_of_before_the_crash_is_answered_after_the_bridge(tmp_path: Path) -> None:
    carrier = Carrier(START, *[sound()] * 15)
    call = run(carried_call(turns=[question()]), carrier, tmp_path)
    await call.until(turns=1)
    carrier.leave(is_closed=True)
    await call.over()
    assert carrier.sent[0]["event"] == "clear"
    assert carrier.kept == [START]
    assert [turn.content for turn in call.log.turns] == [f"{prompt.RESUMED} Which day?"]
    assert call.log.turns[0].index == 1
    assert call.vendors.asked[0][-1] == Message("user", "book a visit")
    assert "connected" not in call.log.entries
    assert 10_000 < call.log.usage_ms < 10_000 + ENOUGH_S * 1000


async def test_the_turn_the_dead_actor_was_speaking_is_written_first(tmp_path: Path) -> None:
    called = FunctionCall(id="c1", name="look_up", arguments="{}")
    progress = Progress(
        text="Nine is free.",
        clause="Shall I book that?",
        clause_at=datetime.now(UTC),
        clause_ms=60_000,
        functions=(called,),
    )
    carrier = Carrier(START, sound())
    call = run(carried_call(turns=[question()], progress=progress), carrier, tmp_path)
    await call.until(turns=2)
    carrier.leave(is_closed=True)
    await call.over()
    cut = call.log.turns[0]
    assert (cut.role, cut.interrupted, cut.functions) == ("assistant", True, (called,))
    assert cut.content.startswith("Nine is free.")
    assert Message("tool", prompt.LOST, tool_call_id="c1") in call.vendors.asked[0]


async def test_what_the_caller_said_in_the_gap_is_recognised_and_answered(tmp_path: Path) -> None:
    carrier = Carrier(START, *[sound()] * 5, *[sound(0x4000)] * 8, *[sound()] * 10)
    call = run(carried_call(turns=[question(ended_ms=1_000)]), carrier, tmp_path)
    await call.until(turns=2)
    carrier.leave(is_closed=True)
    await call.over()
    (said, answer) = call.log.turns[:2]
    assert (said.role, said.content) == ("user", "book a visit please.")
    assert answer.content.endswith("Which day?")
    assert said.timings.speech_end_ms is not None
    assert 8_500 < said.timings.speech_end_ms < 9_500


async def test_what_is_settled_is_told_while_nobody_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "KEEP_S", 0.0)
    carrier = Carrier()
    call = run(inbound_call(), carrier, tmp_path)
    for message in (START, sound(), sound()):
        carrier.inbound.put_nowait(message)
    carrier.leave(is_closed=True)
    await call.over()
    assert 1 <= carrier.settled[0] <= 3


async def test_nothing_is_settled_while_the_caller_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "KEEP_S", 0.0)
    carrier = Carrier(START, *[sound(0x4000)] * 8)
    call = run(carried_call(turns=[question(ended_ms=1_000)]), carrier, tmp_path)
    for _ in range(5):
        carrier.inbound.put_nowait(sound(0x4000))
    carrier.leave(is_closed=True)
    await call.over()
    assert carrier.settled == []


async def test_numbers_of_the_call_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, float, dict[str, str]]] = []

    class Sink:
        def record(self, metric: Metric, value: float, tags: Any) -> None:
            counted.append((metric.name, value, dict(tags)))

    monkeypatch.setattr(meters, "_sink", Sink())
    carrier = Carrier(START, *[sound(0x4000)] * 8, *[sound()] * 12)
    call = run(carried_call(turns=[question(ended_ms=1_000)]), carrier, tmp_path)
    await call.until(turns=2)
    carrier.leave(is_closed=True)
    await call.over()
    assert [value for name, value, _ in counted if name == "calls_live"] == [1, 0]
    assert len([value for name, value, _ in counted if name == "turn_latency_ms" and value >= 0]) == 1
    (ended,) = [tags for name, _, tags in counted if name == "calls_ended_total"]
    assert ended == {"status": "completed", "reason": "media_closed"}
