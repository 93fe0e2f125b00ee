"""Transfers: whom the carrier's Connect applet is told to dial, and text messages to the person on the line."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from models.call import Call, CallStatus
from models.document import new_id
from models.errors import Invalid
from providers.roles import SendSms
from services.call_log import CallLog
from services.sms import sms_for
from stores.secrets import Secrets
from tests.documents import NOW
from tests.money import a_writer
from tests.resources.conftest import Client
from tests.resources.test_webhooks import announcement, webhook

pytestmark = pytest.mark.integration

COLLEAGUE = "+919812345678"


async def answered(client: Client) -> tuple[dict[str, Any], Call]:
    """A phone, and a call that came in on it."""
    phone = await client.phone()
    await client.ask("PUT", f"/phones/{phone['_id']}/agent", json={"agentId": await client.agent()})
    news = announcement() | {"To": phone["number"]}
    assert (await webhook(client, phone["incomingUrl"], "json", news)).status_code == 200
    return phone, await client.house.stores.calls.by_carrier(news["CallSid"])


def call_log(client: Client) -> CallLog:
    return CallLog(client.house.stores.calls, a_writer(client.house.stores), client.house.events)


async def dialled(client: Client, url: str, call_sid: str | None, shape: str = "query") -> list[str]:
    """The numbers of the applet's answer."""
    response = await webhook(client, url, shape, {"CallSid": call_sid or "unknown"})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    numbers: list[str] = response.json()["destination"]["numbers"]
    return numbers


@pytest.mark.parametrize("shape", ["query", "json", "form"])
async def test_the_applet_is_told_whom_to_dial(client: Client, shape: str) -> None:
    phone, call = await answered(client)
    assert urlsplit(phone["connectUrl"]).path == "/api/v1/webhooks/exotel/connect"
    assert await dialled(client, phone["connectUrl"], call.carrier_call_id, shape) == []
    assert await call_log(client).save_transfer(call, COLLEAGUE, NOW)
    await client.house.stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="transferred", now=NOW)
    response = await webhook(client, phone["connectUrl"], shape, {"CallSid": call.carrier_call_id or ""})
    assert response.json() == {
        "fetch_after_attempt": False,
        "destination": {"numbers": [COLLEAGUE]},
        "outgoing_phone_number": phone["number"],
        "max_ringing_duration": 45,
        "music_on_hold": {"type": "operator_tone"},
    }


async def test_nobody_is_dialled_for_another_call(client: Client) -> None:
    phone, call = await answered(client)
    other, _ = await answered(client)
    await call_log(client).save_transfer(call, COLLEAGUE, NOW)
    assert await dialled(client, phone["connectUrl"], new_id()) == []
    assert await dialled(client, other["connectUrl"], call.carrier_call_id) == []


async def test_an_address_not_ours_is_refused(client: Client) -> None:
    phone, call = await answered(client)
    url = phone["connectUrl"]
    for wrong, status in ((url[:-1] + "!", 401), (url.partition("?")[0], 401), (url.replace("phone=", "call="), 401)):
        response = await webhook(client, wrong, "query", {"CallSid": call.carrier_call_id or ""})
        assert response.status_code == status
    assert (await webhook(client, url, "query", {})).status_code == 400


async def test_a_call_that_is_over_is_transferred_no_more(client: Client) -> None:
    phone, call = await answered(client)
    await client.house.stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="x", now=NOW)
    assert not await call_log(client).save_transfer(call, COLLEAGUE, NOW)
    assert await dialled(client, phone["connectUrl"], call.carrier_call_id) == []


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
async def test_a_text_message_goes_to_the_other_party(client: Client, direction: str) -> None:
    house = client.house
    if direction == "inbound":
        phone, call = await answered(client)
        ours, theirs = phone["number"], call.from_phone
    else:
        call = await house.stores.calls.by_id((await client.call())["_id"])
        ours, theirs = call.from_phone, call.to_phone
    send = sms_for(call, house.stores.phones, Secrets(house.settings.encryption_key), house.carrier)
    await send("Your table is booked.")
    [(credentials, sms)] = house.carrier.messages
    assert sms == SendSms(ours, theirs, "Your table is booked.")
    assert credentials.api_token == "secret-token"


async def test_nobody_can_write_to_a_hidden_number(client: Client) -> None:
    house = client.house
    _, call = await answered(client)
    hidden = call.model_copy(update={"from_phone": "anonymous"})
    with pytest.raises(Invalid, match="not known"):
        await sms_for(hidden, house.stores.phones, Secrets(house.settings.encryption_key), house.carrier)("Hello")
    assert house.carrier.messages == []
