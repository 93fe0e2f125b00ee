"""Calls and charges that nobody else closes, against the real database."""

import asyncio
from datetime import datetime, timedelta

import pytest
from pymongo.errors import AutoReconnect

from actors.billing.writer import FIRST_CHECK_S
from models.call import Call, CallStatus, CostBreakdown, Lease, Progress, Usage
from models.document import new_id
from models.settings import Settings
from services.leftovers import ORPHAN_S
from services.sweeper import LOST_S, SETTLING_S, SILENT_S
from tests.documents import NOW
from tests.money import STEP, a_writer
from tests.services.conftest import House, place

pytestmark = pytest.mark.integration

LONG_AGO = NOW - timedelta(days=60)
"""Before the calls of every other test of the session: a sweep then sees none of those."""


async def test_the_sweeper_closes_what_nobody_else_will(house: House, settings: Settings) -> None:
    rings_s = settings.ring_timeout_s + 60
    waiting, silent, lost, fresh = [await place(house, now=LONG_AGO) for _ in range(4)]
    await house.stores.calls.advance(silent.id, CallStatus.IN_PROGRESS, LONG_AGO)
    house.actors.alive.add("slow")
    await house.stores.calls.claim(lost.session_id, Lease(actor="slow", leased_at=LONG_AGO), LONG_AGO)
    await house.stores.calls.advance(lost.id, CallStatus.IN_PROGRESS, LONG_AGO)
    later = LONG_AGO + timedelta(seconds=rings_s)
    await house.stores.calls.change(house.principal.organization_id, fresh.id, {"createdAt": later}, LONG_AGO)
    await house.stores.calls.save_usage(lost.id, Usage(), CostBreakdown(), later)
    await house.services.sweeper.sweep(later)

    async def ends() -> list[tuple[CallStatus, str | None]]:
        calls = [await house.services.calls.get(house.principal, call.id) for call in (waiting, silent, lost, fresh)]
        return [(call.status, call.end_reason) for call in calls]

    assert await ends() == [
        (CallStatus.NO_ANSWER, "ring-timeout"),
        (CallStatus.FAILED, "no-media"),
        (CallStatus.IN_PROGRESS, None),
        (CallStatus.INITIATED, None),
    ]
    await house.services.sweeper.sweep(later + timedelta(seconds=SILENT_S - 1))
    assert (await ends())[2] == (CallStatus.IN_PROGRESS, None)
    await house.services.sweeper.sweep(later + timedelta(seconds=SILENT_S + 1))
    assert (await ends())[2] == (CallStatus.FAILED, "lost")


async def test_the_sweeper_settles_what_a_crash_left(house: House) -> None:
    call = await place(house)
    consumed = (Usage(), CostBreakdown(stt=500))
    await house.stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="x", now=NOW, consumed=consumed)
    live = await place(house)
    later = NOW + timedelta(seconds=FIRST_CHECK_S)
    await house.services.sweeper.sweep(NOW)
    assert await house.held() == 2 * STEP
    await house.stores.calls.change(house.principal.organization_id, live.id, {"createdAt": later}, NOW)
    await house.services.sweeper.sweep(later)
    assert (await house.balance(), await house.held()) == (999_500, STEP)


async def test_credit_set_aside_for_a_call_that_never_was_comes_back(house: House) -> None:
    await a_writer(house.stores).hold(house.principal.organization_id, new_id(), NOW)
    await house.services.sweeper.sweep(NOW + timedelta(seconds=ORPHAN_S - 60))
    assert await house.held() == STEP
    await house.services.sweeper.sweep(NOW + timedelta(seconds=ORPHAN_S + 60))
    assert (await house.balance(), await house.held()) == (1_000_000, 0)


async def carried(house: House, actor: str, now: datetime) -> Call:
    """A call of this actor's, whose agent has been speaking for a moment."""
    call = await place(house, now=now)
    await house.stores.calls.claim(call.session_id, Lease(actor=actor, leased_at=now), now)
    await house.stores.calls.advance(call.id, CallStatus.IN_PROGRESS, now)
    progress = Progress(text="Of course.", clause="It leaves at nine.", clause_at=now, clause_ms=1000)
    await house.stores.calls.save_usage(call.id, Usage(), CostBreakdown(stt=500), now)
    await house.stores.calls.save_progress(call.id, progress, now)
    return call


async def test_a_call_whose_actor_is_gone_is_closed_soon_with_all_it_had(house: House) -> None:
    call = await carried(house, "gone", LONG_AGO)
    await house.services.sweeper.sweep(LONG_AGO + timedelta(seconds=LOST_S - 1))
    assert (await house.stores.calls.by_id(call.id)).status is CallStatus.IN_PROGRESS
    later = LONG_AGO + timedelta(seconds=LOST_S + 1)
    await asyncio.gather(*(house.services.sweeper.sweep(later) for _ in range(3)))
    stored = await house.stores.calls.by_id(call.id)
    assert (stored.status, stored.end_reason, stored.progress, stored.lease) == (CallStatus.FAILED, "lost", None, None)
    (turn,) = stored.turns
    assert (turn.role, turn.content, turn.interrupted) == ("assistant", "Of course. It leaves at nine.", True)
    assert (await house.balance(), await house.held()) == (999_500, 0)
    told = [event for event, _ in (await house.heard(3))[1:]]
    assert told == ["call:transcript", "call:ended"]


async def test_a_call_whose_actor_answers_is_left_to_it(house: House) -> None:
    house.actors.alive.add("busy")
    call = await carried(house, "busy", LONG_AGO)
    await house.services.sweeper.sweep(LONG_AGO + timedelta(seconds=SILENT_S - 1))
    assert (await house.stores.calls.by_id(call.id)).status is CallStatus.IN_PROGRESS


async def test_silence_means_nothing_right_after_an_outage_of_the_database(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await carried(house, "gone", LONG_AGO)
    back = LONG_AGO + timedelta(seconds=300)

    async def away(*_: object) -> list[Call]:
        raise AutoReconnect("gone")

    with monkeypatch.context() as patch:
        patch.setattr(house.stores.calls.__class__, "stale", away)
        with pytest.raises(AutoReconnect):
            await house.services.sweeper.sweep(back)
    await house.services.sweeper.sweep(back + timedelta(seconds=SETTLING_S - 1))
    assert (await house.stores.calls.by_id(call.id)).status is CallStatus.IN_PROGRESS
    await house.services.sweeper.sweep(back + timedelta(seconds=SETTLING_S))
    assert (await house.stores.calls.by_id(call.id)).end_reason == "lost"
