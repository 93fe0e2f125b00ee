"""/sms-messages over HTTP, and the carrier's reports on them in every shape they come in."""

import json
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from models.document import new_id
from models.sms import SmsMessage, SmsStatus
from services.call_addresses import CallAddresses
from tests.documents import NOW
from tests.integration.product.contract.odd_webhooks import ODD, odd_bodies
from tests.messages import DLT, FILLED, a_message
from tests.resources.conftest import Client
from tests.resources.test_webhooks import webhook

pytestmark = pytest.mark.integration

SID = "0f477d60517e6e6a0f6d9a7e9af8630e"


async def added(client: Client, **fields: Any) -> SmsMessage:
    """A message of the client's organization, not due before the tests are over."""
    own = {"next_at": None, **DLT}
    message = a_message(client.house.principal.organization_id, **(own | fields))
    await client.house.stores.sms_messages.add(message)
    return message


async def asked(client: Client, **fields: Any) -> SmsMessage:
    """One that the carrier is being asked to send."""
    return await added(client, status=SmsStatus.SENDING, attempts=1, claims=1, **fields)


async def report(client: Client, message: SmsMessage, shape: str = "form", **fields: str) -> httpx.Response:
    """What the carrier says of a message, at the address it was given."""
    address = CallAddresses(client.house.settings).sms(message.id)
    return await webhook(client, address, shape, {"SmsSid": SID, **fields})


async def shown(client: Client, message: SmsMessage) -> dict[str, Any]:
    """The message as its owner sees it."""
    data: dict[str, Any] = (await client.ask("GET", f"/sms-messages/{message.id}"))["data"]["smsMessage"]
    return data


async def test_messages_are_listed_by_call_and_status_and_shown(client: Client) -> None:
    sent = await added(client, status=SmsStatus.SENT, carrier_id=SID, sent_at=NOW, attempts=1)
    failed = await added(client, status=SmsStatus.FAILED, error="The template is gone", text="")
    for query, found in (
        ("", {sent.id, failed.id}),
        (f"?callId={sent.call_id}", {sent.id}),
        ("?status=failed", {failed.id}),
        (f"?callId={sent.call_id}&status=failed", set()),
        (f"?callId={new_id()}", set()),
    ):
        data = (await client.ask("GET", f"/sms-messages{query}"))["data"]
        assert {message["_id"] for message in data["smsMessages"]} == found
        assert data["pagination"]["total"] == len(found)
    message = await shown(client, sent)
    assert (message["status"], message["text"], message["attempts"]) == ("sent", FILLED, 1)
    assert (message["carrierMessageId"], message["sentAt"]) == (SID, "2026-01-15T10:30:00.000Z")
    assert (message["dltTemplateId"], message["dltEntityId"]) == tuple(DLT.values())
    assert {"error", "nextAttemptAt", "finishedAt", "campaignId", "contactId"}.isdisjoint(message)
    assert (await shown(client, failed))["error"] == "The template is gone"


async def test_one_that_waits_says_until_when(client: Client) -> None:
    waiting = await added(client, next_at=NOW.replace(year=2099), error="the carrier is busy")
    message = await shown(client, waiting)
    assert (message["nextAttemptAt"], message["error"]) == ("2099-01-15T10:30:00.000Z", "the carrier is busy")


async def test_nobody_sees_anothers(client: Client) -> None:
    theirs = a_message(new_id(), next_at=None)
    await client.house.stores.sms_messages.add(theirs)
    await client.ask("GET", f"/sms-messages/{theirs.id}", 404)
    assert (await client.ask("GET", f"/sms-messages?callId={theirs.call_id}"))["data"]["smsMessages"] == []


async def test_an_odd_status_is_refused(client: Client) -> None:
    error = (await client.ask("GET", "/sms-messages?status=lost", 400))["error"]
    assert error["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("shape", ["form", "json", "multipart", "query"])
async def test_a_report_is_taken_down(client: Client, shape: str) -> None:
    message = await asked(client)
    answer = await report(client, message, shape, Status="sent", DetailedStatus="DELIVERED_TO_HANDSET")
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    seen = await shown(client, message)
    assert (seen["status"], seen["carrierMessageId"]) == ("delivered", SID)
    assert seen["finishedAt"] == seen["sentAt"]


async def test_late_and_repeated_reports_change_nothing(client: Client) -> None:
    message = await asked(client)
    for word in ("sent", "failed-dnd", "failed-dnd", "sent", "queued", "teleported"):
        assert (await report(client, message, Status=word, DetailedStatus="FAILED_DND")).status_code == 200
    seen = await shown(client, message)
    assert (seen["status"], seen["error"]) == ("undelivered", "FAILED_DND")
    assert (await report(client, message, Status="delivered")).status_code == 200
    first = await shown(client, message)
    assert (first["status"], "error" in first) == ("delivered", False)
    assert (await report(client, message, Status="failed")).status_code == 200
    assert await shown(client, message) == first


async def test_it_is_told_once_that_the_message_was_sent(client: Client) -> None:
    hook = {"name": "CRM", "url": "https://hooks.invalid/callboard", "events": ["sms.sent"]}
    endpoint = (await client.ask("POST", "/webhook-endpoints", 201, json=hook))["data"]["webhook"]["_id"]
    message = await asked(client)
    for word in ("sent", "sent", "delivered"):
        await report(client, message, Status=word)
    [delivery] = (await client.ask("GET", f"/webhook-endpoints/{endpoint}/logs"))["data"]["deliveries"]
    assert delivery["event"] == "sms.sent"


async def test_another_message_or_another_token_is_refused(client: Client) -> None:
    message, other = await asked(client, carrier_id="6c7f"), await asked(client)
    assert (await report(client, message, Status="delivered")).status_code == 403
    address = urlsplit(CallAddresses(client.house.settings).sms(message.id))
    call_address = urlsplit(CallAddresses(client.house.settings).status(message.id))
    for query in (
        address.query.replace(message.id, other.id),
        address.query[:-1] + ("A" if address.query[-1] != "A" else "B"),
        address.query + "&token=x",
        address.query.partition("&")[0],
        call_address.query.replace("call=", "sms="),
        "",
    ):
        answer = await client.http.post(f"{address.path}?{query}", data={"SmsSid": "6c7f", "Status": "delivered"})
        assert answer.status_code == 401, query
    for each in (message, other):
        assert (await shown(client, each))["status"] == "sending"


async def test_an_address_of_a_message_opens_no_call(client: Client) -> None:
    call = await client.call()
    address = urlsplit(CallAddresses(client.house.settings).sms(call["_id"]))
    for path in (address.path.replace("/sms", "/status"), address.path.replace("/sms", "/recording")):
        for query in (address.query, address.query.replace("sms=", "call=")):
            answer = await client.http.post(f"{path}?{query}", data={"CallSid": "x", "Status": "failed"})
            assert answer.status_code == 401


async def test_a_report_on_nothing_is_refused(client: Client) -> None:
    assert (await report(client, a_message(), Status="sent")).status_code == 404
    address = urlsplit(CallAddresses(client.house.settings).sms((await asked(client)).id))
    answer = await client.http.post(f"{address.path}?{address.query}", data={"Status": "sent"})
    assert (answer.status_code, answer.json()["error"]["details"]["fields"][0]["field"]) == (400, "SmsSid")


async def test_nonsense_is_answered_and_changes_no_message_that_is_delivered(client: Client) -> None:
    delivered, live = await asked(client), await asked(client)
    assert (await report(client, delivered, Status="delivered")).status_code == 200
    before = await shown(client, delivered)
    bodies = list(islice(odd_bodies({"SmsSid": SID, "Status": "failed"}, 20240115), 100))
    bodies += [
        ("application/json", json.dumps(body).encode())
        for odd in ODD
        for body in ({"SmsSid": odd, "Status": "sent"}, {"SmsSid": SID, "Status": odd, "DetailedStatus": odd})
    ]
    said = set()
    for kind, body in bodies:
        for message in (delivered, live, await asked(client)):
            address = urlsplit(CallAddresses(client.house.settings).sms(message.id))
            headers = {"Content-Type": kind} if kind else {}
            answer = await client.http.post(f"{address.path}?{address.query}", content=body, headers=headers)
            assert answer.status_code < 500, (kind, body)
            said.add(answer.status_code)
    assert said == {200, 400, 403}
    assert await shown(client, delivered) == before
