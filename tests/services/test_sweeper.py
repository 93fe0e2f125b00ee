"""Calls and charges that nobody else closes, against the real database."""

from datetime import timedelta

import pytest

from models.call import CallStatus, CostBreakdown, Lease, Usage
from models.settings import Settings
from services.sweeper import SILENT_S
from tests.documents import NOW
from tests.services.conftest import House, place

pytestmark = pytest.mark.integration


async def test_the_sweeper_closes_what_nobody_else_will(house: House, settings: Settings) -> None:
    rings_s = settings.ring_timeout_s + 60
    waiting, silent, lost, fresh = [await place(house) for _ in range(4)]
    await house.stores.calls.advance(silent.id, CallStatus.IN_PROGRESS, NOW)
    await house.stores.calls.claim(lost.session_id, Lease(actor="gone", leased_at=NOW), NOW)
    await house.stores.calls.advance(lost.id, CallStatus.IN_PROGRESS, NOW)
    later = NOW + timedelta(seconds=rings_s)
    await house.stores.calls.change(house.principal.organization_id, fresh.id, {"createdAt": later}, NOW)
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
    await house.stores.calls.save_usage(lost.id, Usage(), CostBreakdown(), later)
    await house.services.sweeper.sweep(later + timedelta(seconds=SILENT_S - 1))
    assert (await ends())[2] == (CallStatus.IN_PROGRESS, None)
    await house.services.sweeper.sweep(later + timedelta(seconds=SILENT_S + 1))
    assert (await ends())[2] == (CallStatus.FAILED, "lost")


async def test_the_sweeper_settles_what_a_crash_left(house: House) -> None:
    call = await place(house)
    consumed = (Usage(), CostBreakdown(stt=500))
    await house.stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="x", now=NOW, consumed=consumed)
    await house.services.sweeper.sweep(NOW)
    organization = await house.stores.organizations.fetch(house.principal.organization_id)
    assert (organization.balance_micros, organization.charged) == (999_500, {})
