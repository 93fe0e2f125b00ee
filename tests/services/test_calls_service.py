"""Placing, receiving, reporting on and ending calls, against the real database and Redis."""

import asyncio
import itertools
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from models.call import CallStatus, SessionId
from models.document import as_iso, new_id
from models.errors import (
    Conflict,
    Forbidden,
    InsufficientCredits,
    Invalid,
    NotFound,
    ProviderError,
    Unauthenticated,
)
from providers.roles import IncomingCall, StatusUpdate
from services.call_addresses import WebhookKey
from tests.documents import NOW, an_agent
from tests.money import STEP
from tests.services.conftest import TO, House, place

pytestmark = pytest.mark.integration


def status_key(house: House) -> WebhookKey:
    """The key in the status address the carrier got last."""
    query = parse_qs(urlsplit(house.carrier.placed[-1][1].status_url).query)
    return WebhookKey("call", query["call"][0], query["token"][0])


def incoming_key(address: str) -> WebhookKey:
    query = parse_qs(urlsplit(address).query)
    return WebhookKey("phone", query["phone"][0], query["token"][0])


def media_token(address: str) -> str:
    return parse_qs(urlsplit(address).query)["token"][0]


async def ring(house: House) -> tuple[WebhookKey, IncomingCall]:
    number, phone_id = await house.line(house.principal)
    listed = await house.services.phones.page(house.principal, status=None, page=1, limit=1)
    assert listed.items[0].phone.id == phone_id
    return incoming_key(listed.items[0].incoming_url or ""), IncomingCall(new_id(), TO, number)


async def test_an_outbound_call_is_stored_told_and_dialled(house: House) -> None:
    call = await place(house)
    assert (call.status, call.direction, call.metadata) == (CallStatus.INITIATED, "outbound", {"orderId": "ORD-1"})
    assert call == await house.services.calls.get(house.principal, call.id)
    credentials, request = house.carrier.placed[0]
    assert credentials.api_token == "secret-token"
    assert (request.from_number, request.to_number) == (call.from_phone, TO)
    assert request.media_url.startswith(f"{house.settings.media_base_url}/audio/{call.session_id}?token=")
    assert request.status_url.startswith(f"{house.settings.base_url}/api/v1/webhooks/exotel/status?call={call.id}&")
    assert len(request.media_url) < 256
    payload = {"sessionId": call.session_id, "status": "initiated", "timestamp": as_iso(NOW)}
    assert await house.heard(1) == [("call:started", payload)]


async def test_what_is_not_ours_cannot_be_dialled_with(house: House) -> None:
    stranger = await house.tenant()
    number, _ = await house.line(stranger)
    agent = await house.stores.agents.insert(an_agent(stranger.organization_id))
    with pytest.raises(NotFound, match="Phone"):
        await place(house, from_phone=number)
    with pytest.raises(NotFound, match="Agent"):
        await place(house, agent_id=agent.id)
    assert house.carrier.placed == []


@pytest.mark.parametrize("number", ["", "hello", "12345", "+1", "0123456789", "+91912345678901234"])
async def test_only_international_numbers_are_dialled(house: House, number: str) -> None:
    with pytest.raises(Invalid) as caught:
        await place(house, to_phone=number)
    assert caught.value.fields[0].field == "toPhone"


async def test_an_empty_account_dials_nothing(house: House) -> None:
    house.principal = await house.tenant(balance_micros=0)
    with pytest.raises(InsufficientCredits):
        await place(house)
    assert (await house.services.calls.page(house.principal)).total == 0


async def test_a_refusing_carrier_leaves_a_failed_call_in_the_log(house: House) -> None:
    house.carrier.refusal = ProviderError("The carrier refused the call", provider="exotel", retryable=False)
    with pytest.raises(ProviderError):
        await place(house)
    [call] = (await house.services.calls.page(house.principal)).items
    assert (call.status, call.end_reason, call.duration_sec) == (CallStatus.FAILED, "carrier-refused", 0)
    assert [event for event, _ in await house.heard(2)] == ["call:started", "call:ended"]
    assert (await house.balance(), await house.held()) == (1_000_000, 0)


async def test_the_same_incoming_call_announced_at_once_is_one_call(house: House) -> None:
    key, incoming = await ring(house)
    calls = await asyncio.gather(*(house.services.calls.receive_incoming(key, incoming, NOW) for _ in range(10)))
    assert len({call.id for call in calls}) == 1
    assert (await house.services.calls.page(house.principal)).total == 1
    assert await house.held() == STEP
    assert (calls[0].from_phone, calls[0].to_phone, calls[0].direction) == (TO, incoming.to_number, "inbound")


async def test_an_incoming_call_is_refused_for_a_reason(house: House) -> None:
    key, incoming = await ring(house)
    with pytest.raises(Unauthenticated):
        await house.services.calls.receive_incoming(WebhookKey("phone", key.subject, "x" * 24), incoming, NOW)
    with pytest.raises(Unauthenticated):
        await house.services.calls.receive_incoming(WebhookKey("phone", new_id(), key.token), incoming, NOW)
    await house.stores.phones.change(house.principal.organization_id, key.subject, {"agentId": None}, NOW)
    with pytest.raises(Conflict, match="agent"):
        await house.services.calls.receive_incoming(key, incoming, NOW)
    house.principal = await house.tenant(balance_micros=0)
    key, incoming = await ring(house)
    with pytest.raises(InsufficientCredits):
        await house.services.calls.receive_incoming(key, incoming, NOW)


async def test_another_phones_carrier_call_is_not_handed_out(house: House) -> None:
    key, incoming = await ring(house)
    await house.services.calls.receive_incoming(key, incoming, NOW)
    other, _ = await ring(house)
    with pytest.raises(Conflict):
        await house.services.calls.receive_incoming(other, incoming, NOW)


async def test_the_carriers_news_in_any_order_end_in_the_same_log(house: House) -> None:
    news = [CallStatus.RINGING, CallStatus.IN_PROGRESS, CallStatus.COMPLETED, CallStatus.RINGING]
    for order in itertools.permutations(news):
        call = await place(house)
        for status in order:
            update = StatusUpdate(call.carrier_call_id or "", status, recording_url="https://exotel.com/a.mp3")
            await house.services.reports.apply(status_key(house), update, NOW)
        stored = await house.services.calls.get(house.principal, call.id)
        assert (stored.status, stored.end_reason) == (CallStatus.COMPLETED, "carrier")
        assert stored.recording is not None
        assert stored.recording.url == "https://exotel.com/a.mp3"


async def test_a_status_is_believed_for_its_own_call_only(house: House) -> None:
    call = await place(house)
    key = status_key(house)
    ours = StatusUpdate(call.carrier_call_id or "", CallStatus.COMPLETED)
    with pytest.raises(Unauthenticated):
        await house.services.reports.apply(WebhookKey("call", call.id, "nonsense"), ours, NOW)
    with pytest.raises(Forbidden):
        await house.services.reports.apply(key, StatusUpdate("another", CallStatus.COMPLETED), NOW)
    other, _incoming = await ring(house)
    with pytest.raises(NotFound):
        await house.services.reports.apply(other, ours, NOW)
    assert (await house.services.calls.get(house.principal, call.id)).status is CallStatus.INITIATED


async def test_a_phones_token_serves_its_calls(house: House) -> None:
    key, incoming = await ring(house)
    call = await house.services.calls.receive_incoming(key, incoming, NOW)
    await house.services.reports.apply(key, StatusUpdate(incoming.carrier_call_id, CallStatus.NO_ANSWER), NOW)
    assert (await house.services.calls.get(house.principal, call.id)).status is CallStatus.NO_ANSWER


async def test_a_terminal_status_leaves_a_carried_call_to_its_actor(house: House) -> None:
    call = await place(house)
    await house.services.carriage.claim(call.session_id, "actor", NOW)
    await house.services.reports.apply(
        status_key(house), StatusUpdate(call.carrier_call_id or "", CallStatus.COMPLETED), NOW
    )
    assert not (await house.services.calls.get(house.principal, call.id)).status.is_final


async def test_media_attaches_once_with_the_right_token(house: House) -> None:
    call = await place(house)
    token = media_token(house.services.calls.media_url(call))
    assert (await house.services.carriage.attach(call.session_id, token, NOW)).id == call.id
    for session, wrong in ((call.session_id, token[:-1] + "!"), (call.session_id, ""), (SessionId("sess_x"), token)):
        with pytest.raises(Unauthenticated):
            await house.services.carriage.attach(session, wrong, NOW)
    with pytest.raises(Conflict):
        await house.services.carriage.attach(call.session_id, token, NOW + timedelta(days=1))
    assert await house.services.carriage.claim(call.session_id, "actor", NOW)
    assert await house.services.carriage.claim(call.session_id, "another", NOW) is None
    with pytest.raises(Conflict):
        await house.services.carriage.attach(call.session_id, token, NOW)
    await house.services.calls.end(house.principal, call.session_id, "user_requested", NOW)
    with pytest.raises(Conflict):
        await house.services.carriage.attach(call.session_id, token, NOW)


async def test_ending_a_ringing_call_cancels_it_and_a_second_end_is_refused(house: House) -> None:
    call = await place(house)
    await house.services.calls.end(house.principal, call.session_id, "user_requested", NOW)
    stored = await house.services.calls.get(house.principal, call.id)
    assert (stored.status, stored.end_reason) == (CallStatus.CANCELED, "user_requested")
    with pytest.raises(Conflict):
        await house.services.calls.end(house.principal, call.session_id, "again", NOW)
    with pytest.raises(NotFound):
        await house.services.calls.end(await house.tenant(), call.session_id, "mine", NOW)


async def test_ending_a_live_call_asks_its_actor(house: House) -> None:
    call = await place(house)
    await house.services.carriage.claim(call.session_id, "actor", NOW)
    house.actors.alive.add("actor")
    await house.services.calls.end(house.principal, call.session_id, "user_requested", NOW)
    assert house.actors.ended == [(call.session_id, "user_requested")]
    assert not (await house.services.calls.get(house.principal, call.id)).status.is_final


async def test_ending_a_call_whose_actor_is_gone_closes_its_log(house: House) -> None:
    call = await place(house)
    await house.services.carriage.claim(call.session_id, "actor", NOW)
    await house.services.calls.end(house.principal, call.session_id, "user_requested", NOW)
    assert (await house.services.calls.get(house.principal, call.id)).status is CallStatus.COMPLETED
