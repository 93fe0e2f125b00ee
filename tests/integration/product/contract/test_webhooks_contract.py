"""/webhooks/exotel as documented, over HTTP: what the carrier is answered, and what its words do."""

from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from models.document import new_id
from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client, refused
from tests.integration.product.contract.conftest import RINGING, fresh_account
from tests.integration.product.contract.webhooks import Webhooks

pytestmark = pytest.mark.integration

account = pytest.fixture(fresh_account)
"""One for each test: nobody places more than ten calls a minute."""

KINDS = ("incoming", "status", "recording")


def announcement(phone: dict[str, Any]) -> dict[str, str]:
    return {"From": "+919123456789", "To": phone["number"], "CallSid": new_id(), "Direction": "inbound"}


async def inbound(client: Client, agent_id: str) -> list[dict[str, Any]]:
    found = await client.answer("GET", f"/calls?direction=inbound&agentId={agent_id}")
    return list(found["calls"])


async def test_an_incoming_call_is_answered_in_xml(client: Client, webhooks: Webhooks) -> None:
    phone = await client.phone(agent_id := await client.agent())
    news = announcement(phone)
    answer = await webhooks.http.post(webhooks.local(phone["incomingUrl"]), json=news)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
    assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    response = ElementTree.fromstring(answer.text)
    stream = response.find("Stream")
    assert response.tag == "Response"
    assert stream is not None
    (call,) = await inbound(client, agent_id)
    url = urlsplit(stream.attrib["url"])
    assert (url.scheme in ("ws", "wss"), url.path) == (True, f"/audio/{call['sessionId']}")
    assert (call["fromPhone"], call["toPhone"]) == (news["From"], phone["number"])


async def test_an_incoming_call_is_answered_in_json_for_the_applet(client: Client, webhooks: Webhooks) -> None:
    phone = await client.phone(agent_id := await client.agent())
    url, news = webhooks.local(phone["incomingUrl"]), announcement(phone)
    asked = await webhooks.http.post(url, json=news, headers={"Accept": "application/json"})
    fetched = await webhooks.http.get(url, params={**httpx.QueryParams(urlsplit(url).query), **news})
    for answer in (asked, fetched):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.json().keys() == {"url"}
    assert asked.json() == fetched.json()
    assert len(await inbound(client, agent_id)) == 1


@pytest.mark.parametrize("shape", ["json", "data"])
async def test_incoming_calls_come_as_json_and_as_forms(client: Client, webhooks: Webhooks, shape: str) -> None:
    phone = await client.phone(agent_id := await client.agent())
    request: dict[str, Any] = {shape: announcement(phone)}
    answer = await webhooks.http.post(webhooks.local(phone["incomingUrl"]), **request)
    assert answer.status_code == 200
    assert len(await inbound(client, agent_id)) == 1


async def test_a_status_moves_the_call_and_is_acknowledged(
    client: Client, carrier: Carrier, webhooks: Webhooks
) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    for status in ("ringing", "in-progress", "completed"):
        answer = await webhooks.tell(call, status, CallDuration="330")
        assert answer.status_code == 200
        assert answer.json() == {"success": True, "message": "Status updated"}
        shown = (await client.answer("GET", f"/calls/{call['_id']}"))["call"]
        assert shown["status"] == status


async def test_what_the_last_word_says_is_kept(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    await webhooks.is_over(call, 330)
    shown = (await client.answer("GET", f"/calls/{call['_id']}"))["call"]
    assert (shown["status"], shown["durationSec"]) == ("completed", 330)
    assert shown["recordingUrl"] == "https://exotel.com/recordings/call_123.mp3"


@pytest.mark.parametrize("status", ["failed", "busy", "no-answer", "canceled"])
async def test_each_end_has_its_status(client: Client, carrier: Carrier, webhooks: Webhooks, status: str) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    assert (await webhooks.tell(call, status)).status_code == 200
    shown = (await client.answer("GET", f"/calls/{call['_id']}"))["call"]
    assert (shown["status"], shown["costBreakdown"]["total"]) == (status, 0)


async def test_late_and_repeated_words_change_nothing(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    await webhooks.is_over(call, 60)
    before = await client.answer("GET", f"/calls/{call['_id']}")
    for status in ("ringing", "in-progress", "completed", "failed", "nonsense"):
        answer = await webhooks.tell(call, status, CallDuration="999")
        assert answer.json() == {"success": True, "message": "Status updated"}
    assert await client.answer("GET", f"/calls/{call['_id']}") == before


async def test_a_recording_is_kept_and_acknowledged(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    carrier.plans.add(RINGING)
    call = await client.call()
    url = "https://exotel.com/recordings/call_123.mp3"
    body = {"CallSid": call["exotelCallSid"], "RecordingUrl": url}
    answer = await webhooks.http.post(webhooks.recording(call["_id"]), json=body)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Recording saved"}
    assert (await client.answer("GET", f"/calls/{call['_id']}"))["call"]["recordingUrl"] == url
    await client.answer("POST", f"/calls/{call['sessionId']}/end")


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_not_signed_is_refused(client: Client, webhooks: Webhooks, kind: str) -> None:
    phone = await client.phone(await client.agent())
    right = webhooks.local(phone["incomingUrl"]).replace("/incoming?", f"/{kind}?")
    for wrong in (right.partition("?")[0], right[:-1], right + "x", right.replace(phone["_id"], new_id())):
        refused(await webhooks.http.post(wrong, json=announcement(phone)), 401)


async def test_a_token_is_good_for_its_own_call_only(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    carrier.plans.add(RINGING, RINGING)
    one, other = await client.call(), await client.call()
    for address in (webhooks.status(one["_id"]), webhooks.recording(one["_id"])):
        body = {"CallSid": other["exotelCallSid"], "CallStatus": "completed", "RecordingUrl": "https://evil.example/a"}
        refused(await webhooks.http.post(address, json=body), 403)
    for call in (one, other):
        shown = (await client.answer("GET", f"/calls/{call['_id']}"))["call"]
        assert shown["status"] in ("initiated", "ringing")
        await client.answer("POST", f"/calls/{call['sessionId']}/end")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_webhook_without_its_fields_is_a_bad_request(client: Client, webhooks: Webhooks, kind: str) -> None:
    phone = await client.phone(await client.agent())
    url = webhooks.local(phone["incomingUrl"]).replace("/incoming?", f"/{kind}?")
    error = refused(await webhooks.http.post(url, json={"From": "+919123456789"}), 400)
    assert "CallSid" in [each["field"] for each in error["details"]["fields"]]
    refused(await webhooks.http.post(url, content=b"{", headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("kind", ["status", "recording"])
async def test_news_of_an_unknown_call_are_not_found(client: Client, webhooks: Webhooks, kind: str) -> None:
    phone = await client.phone(await client.agent())
    url = webhooks.local(phone["incomingUrl"]).replace("/incoming?", f"/{kind}?")
    refused(await webhooks.http.post(url, json={"CallSid": new_id(), "CallStatus": "completed"}), 404)


async def test_a_call_to_a_number_without_an_agent_is_refused(client: Client, webhooks: Webhooks) -> None:
    phone = await client.phone()
    refused(await webhooks.http.post(webhooks.local(phone["incomingUrl"]), json=announcement(phone)), 409)
    await client.done("DELETE", f"/phones/{phone['_id']}")
    refused(await webhooks.http.post(webhooks.local(phone["incomingUrl"]), json=announcement(phone)), 404)
