"""A whole call's log, money and events, against the real database and Redis."""

import asyncio
from datetime import timedelta

import pytest

from models.call import CallStatus, CostBreakdown, Usage
from models.document import as_iso
from services.call_log import CallLog
from tests.documents import NOW, a_turn
from tests.money import STEP, a_writer
from tests.services.conftest import House, place

pytestmark = pytest.mark.integration


async def test_a_whole_call_is_logged_charged_and_told(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await place(house)
    await house.services.calls.claim(call.session_id, "actor", NOW)
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
        {"sessionId": call.session_id, "role": "user", "text": "Hello", "timestamp": at},
    )
    assert again == line
    failure = {"code": "STT_ERROR", "message": "Speech recognition failed"}
    assert problem == ("call:error", {"sessionId": call.session_id, "error": failure})
    over = {"sessionId": call.session_id, "status": "completed", "duration": 330, "timestamp": as_iso(end)}
    assert ended == ("call:ended", over)
