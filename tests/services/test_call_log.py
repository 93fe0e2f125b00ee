"""A whole call's log, money and events, against the real database and Redis."""

import asyncio
from datetime import timedelta

import pytest

from models.call import CallStatus, CostBreakdown, Usage
from models.document import as_iso
from services.call_log import CallLog
from tests.documents import NOW, a_turn
from tests.services.conftest import House, place

pytestmark = pytest.mark.integration


async def test_a_whole_call_is_logged_charged_and_told(house: House) -> None:
    log = CallLog(house.stores.calls, house.stores.organizations, house.events)
    call = await place(house)
    await house.services.calls.claim(call.session_id, "actor", NOW)
    await log.connected(call, NOW)
    await log.connected(call, NOW + timedelta(seconds=1))
    usage, cost = Usage(stt_ms=1000), CostBreakdown(stt=100, telephony=300)
    assert await log.record_turn(call, a_turn(0), usage, cost, NOW) == 999_600
    assert await log.record_turn(call, a_turn(0), usage, cost, NOW) == 999_600
    assert await log.save_usage(call, usage, CostBreakdown(stt=200, telephony=600), NOW) == 999_200
    await log.report_error(call, "STT_ERROR", "Speech recognition failed", NOW)
    total = CostBreakdown(stt=200, telephony=700)
    end = NOW + timedelta(seconds=330)
    ends = [
        log.finish(call, status=CallStatus.COMPLETED, reason=reason, usage=usage, cost=total, recording=None, now=end)
        for reason in ("caller", "sweeper")
    ]
    assert sum(finished is not None for finished in await asyncio.gather(*ends)) == 1
    assert await log.save_usage(call, usage, CostBreakdown(stt=9999), end) == 999_100
    assert await house.balance() == 999_100
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
