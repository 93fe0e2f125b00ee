"""The simulators and the product's providers, each written from the vendors' documents, understand each other."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from models.call import CallStatus
from models.errors import Invalid, ProviderError
from providers.roles import (
    CarrierCredentials,
    DtmfPressed,
    MarkPlayed,
    MediaAudio,
    MediaStarted,
    MediaStopped,
    PlaceCall,
    StatusUpdate,
)
from providers.telephony.exotel.media import ExotelMedia
from providers.telephony.exotel.rest import ExotelTelephony
from simulators.carrier import Account, Carrier, Plan
from simulators.exotel_calls import RATE_LIMITED, CallState, Outcome, as_form, callback_body, incoming_form
from simulators.exotel_frames import Cleared, Frames, Marked, Played, StreamIds, chunk_problem, parse
from simulators.scripts import SCRIPTS

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
IDS = StreamIds("stream", "call", "account", "+919876543210", "+918047491899")
ORDER = PlaceCall("+918047491899", "+919876543210", "ws://127.0.0.1:9/audio", "http://127.0.0.1:9/status", 30, 600)


@pytest.fixture
def telephony() -> ExotelTelephony:
    return ExotelTelephony(httpx.AsyncClient())


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_the_product_reads_the_carriers_frames(rate_hz: int) -> None:
    frames, codec = Frames(IDS, rate_hz=rate_hz, parameters={}), ExotelMedia({})
    assert [
        codec.decode(message)
        for message in (
            frames.connected(),
            frames.start(),
            frames.media(b"\x01\x02"),
            frames.mark("turn-1"),
            frames.dtmf("#"),
            frames.stop("callended"),
        )
    ] == [
        None,
        MediaStarted("stream", "call", rate_hz),
        MediaAudio(b"\x01\x02"),
        MarkPlayed("turn-1"),
        DtmfPressed("#"),
        MediaStopped("callended"),
    ]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_the_carrier_reads_the_products_frames(rate_hz: int) -> None:
    codec = ExotelMedia({})
    pcm = bytes(codec.chunk_bytes(rate_hz))
    assert parse(codec.encode_audio(pcm)) == Played(pcm)
    assert parse(codec.encode_mark("turn-1")) == Marked("turn-1")
    assert parse(codec.encode_clear()) == Cleared()
    assert chunk_problem(len(base64.b64decode(json.loads(codec.encode_audio(pcm))["media"]["payload"]))) is None


def test_the_product_reads_the_carriers_webhooks(telephony: ExotelTelephony) -> None:
    call = CallState("sid", "demo", "+919876543210", "+918047491899", "outbound-api", created=NOON)
    incoming = telephony.parse_incoming(incoming_form(call))
    assert (incoming.from_number, incoming.to_number) == ("+919876543210", "+918047491899")
    ringing = callback_body(call, "ringing", now=NOON, is_extended=True)
    answered = callback_body(call, "answered", now=NOON, is_extended=True)
    call.answered, call.ended, call.status = NOON, NOON.replace(second=41), Outcome.ANSWERED
    terminal = callback_body(call, "terminal", now=NOON, is_extended=True)
    for body in (terminal, as_form(terminal)):
        update = telephony.parse_status(body)
        assert (update.carrier_call_id, update.status, update.duration_s) == ("sid", CallStatus.COMPLETED, 41)
    assert telephony.parse_status(ringing).status is CallStatus.RINGING
    assert telephony.parse_status(as_form(answered)).status is CallStatus.IN_PROGRESS


@pytest.mark.integration
async def test_the_product_reads_the_carriers_books() -> None:
    account = Account()
    credentials = CarrierCredentials(account.sid, "api.exotel.com", account.api_key, account.api_token)
    async with Carrier(Plan(SCRIPTS["demo"], dial_s=60)) as carrier, httpx.AsyncClient() as http:
        telephony = ExotelTelephony(http, base_url=carrier.url)
        await telephony.check_account(credentials)
        for wrong in ({"api_token": "x"}, {"api_key": "x"}, {"sid": "x"}):
            with pytest.raises(Invalid):
                await telephony.check_account(replace(credentials, **wrong))
        sid = (await telephony.place_call(credentials, ORDER)).carrier_call_id
        assert await telephony.fetch_call(credentials, sid) == StatusUpdate(sid, None, 0)
        state = carrier.calls[sid].state
        state.answered, state.ended, state.status = NOON, NOON.replace(second=41), Outcome.ANSWERED
        assert await telephony.fetch_call(credentials, sid) == StatusUpdate(sid, CallStatus.COMPLETED, 41)
        assert await telephony.fetch_call(credentials, "unknown") is None


@pytest.mark.integration
async def test_the_product_dials_and_is_refused() -> None:
    account = Account()
    credentials = CarrierCredentials(account.sid, "api.exotel.com", account.api_key, account.api_token)
    async with Carrier(Plan(SCRIPTS["demo"], dial_s=60)) as carrier, httpx.AsyncClient() as http:
        telephony = ExotelTelephony(http, base_url=carrier.url)
        placed = await telephony.place_call(credentials, ORDER)
        state = carrier.calls[placed.carrier_call_id].state
        assert (state.from_number, state.to_number) == ("+919876543210", "+918047491899")
        carrier.refusals.add(RATE_LIMITED)
        with pytest.raises(ProviderError) as caught:
            await telephony.place_call(credentials, ORDER)
        assert (caught.value.retryable, caught.value.retry_after_s) == (True, 1)
