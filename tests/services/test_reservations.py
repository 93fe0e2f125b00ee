"""Room for calls: kept before a phone rings, given back when the call will not come, and what happens without it."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from pymongo.errors import AutoReconnect

from models.call import Call, CallStatus
from models.errors import InsufficientCredits, NoCapacity, ProviderError
from models.metrics import Metric
from providers.roles import StatusUpdate
from services import meters
from services.reservations import NO_CAPACITY, PATIENCE_S
from services.sweeper import MARGIN_S
from stores.calls import Calls
from tests.documents import NOW
from tests.money import STEP
from tests.services.conftest import House, place
from tests.services.test_calls_service import ring, status_key

pytestmark = pytest.mark.integration


class Counted:
    """Keeps what is counted: `meters.Sink`."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, str]]] = []

    def record(self, metric: Metric, value: float, tags: Mapping[str, str]) -> None:
        """One more."""
        self.records.append((metric.name, dict(tags)))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """What is counted in the test."""
    sink = Counted()
    monkeypatch.setattr(meters, "_sink", sink)
    return sink


class TestOutbound:
    """Calls we make."""

    async def test_an_actor_is_kept_for_as_long_as_it_may_ring(self, house: House) -> None:
        call = await place(house)
        [asked] = house.actors.asked
        assert asked.session_id == call.session_id
        assert asked.for_s == house.settings.ring_timeout_s + MARGIN_S
        assert asked.patience_s == PATIENCE_S
        stored = await house.services.calls.get(house.principal, call.id)
        assert (stored.pool, house.actors.reserved) == ("call_pool:here", {call.session_id})

    async def test_without_room_nothing_is_dialled_held_or_stored(self, house: House, counted: Counted) -> None:
        house.actors.room = 0
        with pytest.raises(NoCapacity):
            await place(house)
        assert house.carrier.placed == []
        assert await house.held() == 0
        assert (await house.services.calls.page(house.principal)).total == 0
        assert counted.records == [("calls_refused_total", {"direction": "outbound", "reason": "full"})]

    async def test_who_cannot_pay_keeps_no_room(self, house: House) -> None:
        house.principal = await house.tenant(balance_micros=0)
        with pytest.raises(InsufficientCredits):
            await place(house)
        assert house.actors.reserved == set()

    async def test_a_store_that_breaks_keeps_no_room(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        async def broken(self: Calls, document: Call) -> Call:
            raise AutoReconnect

        monkeypatch.setattr(Calls, "insert", broken)
        with pytest.raises(AutoReconnect):
            await place(house)
        assert house.actors.reserved == set()

    async def test_a_carrier_that_refuses_gives_the_room_back(self, house: House) -> None:
        house.carrier.refusal = ProviderError("The carrier refused the call", provider="exotel", retryable=False)
        with pytest.raises(ProviderError):
            await place(house)
        assert house.actors.reserved == set()

    async def test_a_call_ended_while_it_rings_gives_the_room_back(self, house: House) -> None:
        call = await place(house)
        await house.services.calls.end(house.principal, call.session_id, "user_requested", NOW)
        assert house.actors.reserved == set()

    @pytest.mark.parametrize("status", [CallStatus.BUSY, CallStatus.NO_ANSWER, CallStatus.FAILED])
    async def test_nobody_picking_up_gives_the_room_back(self, house: House, status: CallStatus) -> None:
        call = await place(house)
        update = StatusUpdate(call.carrier_call_id or "", CallStatus.RINGING)
        await house.services.reports.apply(status_key(house), update, NOW)
        assert house.actors.reserved == {call.session_id}
        await house.services.reports.apply(status_key(house), StatusUpdate(update.carrier_call_id, status), NOW)
        assert house.actors.reserved == set()

    async def test_the_carriers_word_leaves_the_actor_of_a_carried_call_alone(self, house: House) -> None:
        call = await place(house)
        await house.services.carriage.claim(call.session_id, "actor", NOW)
        update = StatusUpdate(call.carrier_call_id or "", CallStatus.COMPLETED)
        await house.services.reports.apply(status_key(house), update, NOW)
        assert house.actors.cancelled == []


class TestInbound:
    """Calls that come in."""

    async def test_an_actor_is_kept_at_once_or_not_at_all(self, house: House) -> None:
        key, incoming = await ring(house)
        call = await house.services.calls.receive_incoming(key, incoming, NOW)
        [asked] = house.actors.asked
        assert (asked.session_id, asked.patience_s) == (call.session_id, 0.0)
        assert call.pool == "call_pool:here"

    async def test_without_room_the_call_is_over_as_busy_and_told_so(self, house: House, counted: Counted) -> None:
        house.actors.room = 0
        key, incoming = await ring(house)
        call = await house.services.calls.receive_incoming(key, incoming, NOW)
        stored = await house.services.calls.get(house.principal, call.id)
        assert stored == call
        assert (stored.status, stored.end_reason, stored.duration_sec) == (CallStatus.BUSY, NO_CAPACITY, 0)
        assert (stored.ended_at, stored.charged_micros, stored.pool) == (NOW, 0, None)
        [(event, payload)] = await house.heard(1)
        assert (event, payload["status"], payload["sessionId"]) == ("call:ended", "busy", call.session_id)
        assert (await house.balance(), await house.held()) == (1_000_000, 0)
        assert counted.records == [("calls_refused_total", {"direction": "inbound", "reason": "full"})]

    async def test_announced_again_it_is_refused_again_even_with_room(self, house: House) -> None:
        house.actors.room = 0
        key, incoming = await ring(house)
        first = await house.services.calls.receive_incoming(key, incoming, NOW)
        house.actors.room = 1
        again = await house.services.calls.receive_incoming(key, incoming, NOW + timedelta(seconds=1))
        assert again == first
        assert house.actors.reserved == set()

    async def test_announced_many_times_at_once_it_is_one_call_with_one_actor(self, house: House) -> None:
        house.actors.room = 3  # some of the announcements find room, and some find none
        key, incoming = await ring(house)
        calls = await asyncio.gather(*(house.services.calls.receive_incoming(key, incoming, NOW) for _ in range(10)))
        assert len({call.id for call in calls}) == 1
        assert house.actors.reserved == ({calls[0].session_id} if calls[0].pool else set())
        assert await house.held() == (STEP if calls[0].pool else 0)

    async def test_who_cannot_pay_keeps_no_room(self, house: House) -> None:
        house.principal = await house.tenant(balance_micros=0)
        key, incoming = await ring(house)
        with pytest.raises(InsufficientCredits):
            await house.services.calls.receive_incoming(key, incoming, NOW)
        assert house.actors.reserved == set()

    async def test_a_caller_who_gives_up_gives_the_room_back(self, house: House) -> None:
        key, incoming = await ring(house)
        await house.services.calls.receive_incoming(key, incoming, NOW)
        await house.services.reports.apply(key, StatusUpdate(incoming.carrier_call_id, CallStatus.NO_ANSWER), NOW)
        assert house.actors.reserved == set()
