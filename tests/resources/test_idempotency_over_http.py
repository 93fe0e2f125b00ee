"""The Idempotency-Key header as clients meet it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from models.document import Id, new_id
from models.errors import ProviderError
from models.idempotency import IdempotentRequest
from services.idempotency import TAKE_OVER_S, fingerprint
from tests.documents import NOW
from tests.resources.conftest import Client

pytestmark = pytest.mark.integration


async def order(client: Client) -> dict[str, Any]:
    """The body of a call."""
    return {
        "fromPhone": (await client.phone())["number"],
        "toPhone": "+919123456789",
        "agentId": await client.agent(),
        "metadata": {"orderId": "ORD-12345"},
    }


async def send(client: Client, body: Any, key: str | None = "order-1") -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.http.post("/api/v1/calls/outbound", json=body, headers=headers)


async def test_sent_twice_it_is_dialled_once_and_answered_the_same(client: Client) -> None:
    body = await order(client)
    first, again = await send(client, body), await send(client, body)
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/json"
    assert len(client.house.carrier.placed) == 1
    shown = (await client.ask("GET", f"/calls/{first.json()['data']['call']['_id']}"))["data"]["call"]
    assert shown["sessionId"] == first.json()["data"]["call"]["sessionId"]


async def test_what_is_kept_holds_no_token(client: Client) -> None:
    body = await order(client)
    await send(client, body)
    placed = client.house.carrier.placed[-1][1]
    secrets = [parse_qs(urlsplit(url).query)["token"][0] for url in (placed.media_url, placed.status_url)]
    again = await send(client, body)
    assert not [secret for secret in secrets if secret in again.text]


async def test_without_a_key_every_request_is_a_call(client: Client) -> None:
    body = await order(client)
    answers = [await send(client, body, None) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["data"]["call"]["_id"] for answer in answers}) == 2


async def test_twenty_at_once_make_one_call(client: Client) -> None:
    body = await order(client)
    answers = await asyncio.gather(*(send(client, body) for _ in range(20)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert len(client.house.carrier.placed) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
    busy = [answer.json()["error"] for answer in answers if answer.status_code == 409]
    assert all(error["code"] == "DUPLICATE_RESOURCE" and "still running" in error["message"] for error in busy)


async def test_another_body_under_the_key_is_refused(client: Client) -> None:
    body = await order(client)
    await send(client, body)
    answer = await send(client, {**body, "toPhone": "+919123456780"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
    assert len(client.house.carrier.placed) == 1


async def test_a_key_is_the_organizations_own(client: Client) -> None:
    first = await send(client, await order(client))
    await client.become(await client.house.tenant())
    second = await send(client, await order(client))
    assert (second.status_code, second.headers.get("Idempotency-Replayed")) == (201, None)
    assert first.json()["data"]["call"]["_id"] != second.json()["data"]["call"]["_id"]


@pytest.mark.parametrize("key", ["", "a" * 256, "ü", "a\tb"])
async def test_keys_are_printable_and_short(client: Client, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    response = await client.http.post("/api/v1/calls/outbound", json=await order(client), headers=headers)
    assert response.status_code == 400
    [refused] = response.json()["error"]["details"]["fields"]
    assert refused["field"].lower() == "idempotency-key"


async def test_refused_before_anything_was_made_it_may_be_sent_again(client: Client) -> None:
    body = await order(client)
    for wrong, status in (({**body, "agentId": "none"}, 404), ({**body, "toPhone": "12"}, 400)):
        assert (await send(client, wrong)).status_code == status
    poor = await client.house.tenant(balance_micros=0)
    await client.become(poor)
    body = await order(client)
    assert (await send(client, body)).status_code == 402
    assert (await send(client, {**body, "metadata": {}})).status_code == 402
    assert client.house.carrier.placed == []


async def test_refused_for_want_of_room_it_may_be_sent_again_under_its_key(client: Client) -> None:
    body = await order(client)
    client.house.actors.room = 0
    refused = await send(client, body)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json()["error"] == {
        "code": "INTERNAL_ERROR",
        "message": "All lines are busy, try again",
        "details": {"retryAfter": 5},
    }
    assert (await client.ask("GET", "/calls"))["data"]["calls"] == []
    client.house.actors.room = 1
    placed, again = await send(client, body), await send(client, body)
    assert (placed.status_code, again.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in placed.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(client.house.carrier.placed) == 1


async def test_a_carriers_failure_is_answered_again_because_it_may_be_dialling(client: Client) -> None:
    body = await order(client)
    client.house.carrier.refusal = ProviderError("The carrier did not answer", provider="exotel", retryable=False)
    first = await send(client, body)
    client.house.carrier.refusal = None
    again = await send(client, body)
    assert (first.status_code, again.status_code) == (502, 502)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(client.house.carrier.placed) == 1


@pytest.mark.parametrize("had_dialled", [True, False])
async def test_a_retry_takes_over_what_a_process_left_when_it_died(client: Client, had_dialled: bool) -> None:
    body = await order(client)
    left = await _left_behind(client, body, seconds_ago=TAKE_OVER_S - 10)
    if had_dialled:
        call = {"from_phone": body["fromPhone"], "to_phone": body["toPhone"], "agent_id": body["agentId"]}
        await client.house.services.calls.place_outbound(
            client.house.principal, **call, metadata={}, now=NOW, call_id=left.reserved_id
        )
    assert (await send(client, body)).status_code == 409
    await client.house.stores.idempotency.drop(left)
    left = await _left_behind(client, body, seconds_ago=TAKE_OVER_S + 1, reserved_id=left.reserved_id)
    answers = await asyncio.gather(*(send(client, body) for _ in range(10)))
    made = [answer.json()["data"]["call"]["_id"] for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert set(made) == {left.reserved_id}
    assert len(client.house.carrier.placed) == 1
    assert (await send(client, body)).headers["Idempotency-Replayed"] == "true"


async def _left_behind(client: Client, body: Any, *, seconds_ago: float, **fields: Any) -> IdempotentRequest:
    """What a process has stored that began then and was killed before it could answer."""
    began, organization_id = datetime.now(UTC) - timedelta(seconds=seconds_ago), client.house.principal.organization_id
    own: dict[str, Any] = {"reserved_id": new_id(), "attempt": new_id(), "attempted_at": began}
    request = IdempotentRequest(
        id=Id(f"{organization_id}:order-1"),
        created_at=began,
        updated_at=began,
        organization_id=organization_id,
        fingerprint=fingerprint("POST", "/api/v1/calls/outbound", json.dumps(body).encode()),
        **(own | fields),
    )
    return await client.house.stores.idempotency.open(request)


@pytest.mark.parametrize("body", [b"abc", b"a=b", b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json"])
async def test_a_body_that_is_no_json_is_refused_under_a_key_too(client: Client, kind: str, body: bytes) -> None:
    headers = {"Content-Type": kind, "Idempotency-Key": "order-17"}
    answer = await client.ask("POST", "/calls/outbound", 400, content=body, headers=headers)
    assert answer["error"]["code"] == "VALIDATION_ERROR"
