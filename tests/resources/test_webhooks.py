"""The carrier's webhooks in every shape they come in."""

import json
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from models.document import new_id
from tests.resources.conftest import Client

pytestmark = pytest.mark.integration


def way(shape: str, fields: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The method and the request arguments of one of the shapes."""
    shapes: dict[str, tuple[str, dict[str, Any]]] = {
        "json": ("POST", {"json": fields}),
        "form": ("POST", {"data": fields}),
        "multipart": ("POST", {"files": {name: (None, value) for name, value in fields.items()}}),
        "query": ("GET", {"params": fields}),
    }
    return shapes[shape]


async def webhook(client: Client, url: str, shape: str, fields: dict[str, str], **headers: str) -> httpx.Response:
    """Call an address we handed out."""
    method, request = way(shape, fields)
    address = urlsplit(url)
    if "params" in request:
        request["params"] = {**dict(httpx.QueryParams(address.query)), **fields}
        return await client.http.request(method, address.path, headers=headers, **request)
    return await client.http.request(method, f"{address.path}?{address.query}", headers=headers, **request)


async def rung(client: Client) -> str:
    """The address of a phone that somebody answers."""
    phone = await client.phone()
    await client.ask("PUT", f"/phones/{phone['_id']}/agent", json={"agentId": await client.agent()})
    address: str = phone["incomingUrl"]
    return address


def announcement() -> dict[str, str]:
    return {"From": "+919123456789", "To": "+919876543210", "CallSid": new_id(), "Direction": "inbound"}


@pytest.mark.parametrize("shape", ["json", "form", "multipart"])
async def test_an_incoming_call_is_streamed(client: Client, shape: str) -> None:
    response = await webhook(client, await rung(client), shape, announcement())
    assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
    stream = ElementTree.fromstring(response.text)[0]
    [call] = (await client.ask("GET", "/calls"))["data"]["calls"]
    assert stream.tag == "Stream"
    assert urlsplit(stream.attrib["url"]).path == f"/audio/{call['sessionId']}"
    assert call["direction"] == "inbound"


async def test_the_applet_reads_json(client: Client) -> None:
    url, fields = await rung(client), announcement()
    by_get = await webhook(client, url, "query", fields)
    by_accept = await webhook(client, url, "json", fields, Accept="application/json")
    assert by_get.json() == by_accept.json()
    assert by_get.json()["url"].startswith("ws://localhost:")
    as_xml = await webhook(client, url, "query", fields, Accept="text/xml")
    assert ElementTree.fromstring(as_xml.text)[0].attrib == by_get.json()
    assert (await client.ask("GET", "/calls"))["data"]["pagination"]["total"] == 1


@pytest.mark.parametrize("shape", ["json", "form", "multipart"])
async def test_while_all_lines_are_busy_the_carrier_is_told_to_refuse(client: Client, shape: str) -> None:
    client.house.actors.room = 0
    url, fields = await rung(client), announcement()
    for _ in range(2):
        response = await webhook(client, url, shape, fields)
        assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
        reject = ElementTree.fromstring(response.text)[0]
        assert (reject.tag, reject.attrib) == ("Reject", {"reason": "busy"})
    [call] = (await client.ask("GET", "/calls"))["data"]["calls"]
    assert (call["status"], call["durationSec"], call["costBreakdown"]["total"]) == ("busy", 0, 0)
    shown = (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]
    assert shown["endReason"] == "no-capacity"
    over = await webhook(client, url.replace("/incoming?", "/status?"), shape, {**fields, "CallStatus": "busy"})
    assert over.status_code == 200


async def test_the_applet_is_unavailable_while_all_lines_are_busy(client: Client) -> None:
    client.house.actors.room = 0
    url, fields = await rung(client), announcement()
    for response in (
        await webhook(client, url, "query", fields),
        await webhook(client, url, "json", fields, Accept="application/json"),
    ):
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "INTERNAL_ERROR"
        assert response.headers["Retry-After"] == "5"
    assert (await client.ask("GET", "/calls"))["data"]["pagination"]["total"] == 1
    client.house.actors.room = 1
    assert (await webhook(client, url, "query", announcement())).json()["url"].startswith("ws://")


async def test_an_address_not_ours_is_refused(client: Client) -> None:
    url = await rung(client)
    for wrong in (url[:-1] + "!", url.partition("?")[0], url.replace("phone=", "call=")):
        response = await webhook(client, wrong, "json", announcement())
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b'"x"', b"[" * 100_000])
async def test_garbage_is_refused_politely(client: Client, content: bytes) -> None:
    address = urlsplit(await rung(client))
    path = f"{address.path}?{address.query}"
    for kind in ("application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""):
        response = await client.http.post(path, content=content, headers={"Content-Type": kind})
        assert response.status_code == 400, (kind, response.text)
        assert response.json()["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("shape", ["json", "form", "multipart", "query"])
async def test_status_and_recording_are_kept(client: Client, shape: str) -> None:
    call = await client.call()
    url = client.house.carrier.placed[-1][1].status_url
    news = {"CallSid": call["exotelCallSid"], "CallStatus": "completed"}
    response = await webhook(client, url, shape, news)
    assert response.json() == {"success": True, "message": "Status updated"}
    recorded = {"CallSid": call["exotelCallSid"], "RecordingUrl": "https://exotel.com/recordings/call_123.mp3"}
    response = await webhook(client, url.replace("/status?", "/recording?"), shape, recorded)
    assert response.json() == {"success": True, "message": "Recording saved"}
    late = await webhook(client, url, shape, {**news, "CallStatus": "ringing"})
    assert late.status_code == 200
    logged = (await client.ask("GET", f"/calls/{call['_id']}"))["data"]["call"]
    assert (logged["status"], logged["recordingUrl"]) == ("completed", recorded["RecordingUrl"])


async def test_the_openapi_document_is_served_with_examples(client: Client) -> None:
    document = (await client.http.get("/api/v1/openapi.json")).json()
    assert document["servers"] == [{"url": "/api/v1"}]
    signup = document["components"]["schemas"]["SignupRequest"]["examples"][0]
    assert signup == {"email": "user@example.com", "password": "SecurePassword123!", "name": "John Doe"}
    assert {"/calls/outbound", "/agents/{agent_id}", "/webhooks/exotel/incoming"} <= document["paths"].keys()
    assert json.dumps(document).count("operationId") == len(
        {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    )
    assert "/api/v1/openapi.json" in (await client.http.get("/api/v1/docs")).text
