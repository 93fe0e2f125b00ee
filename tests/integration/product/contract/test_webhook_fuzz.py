"""Nonsense at the carrier's addresses: always answered, never our fault, and a call that is over stays as it was."""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any

import httpx
import pytest

from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING, fresh_account
from tests.integration.product.contract.odd_webhooks import odd_bodies
from tests.integration.product.contract.webhooks import Webhooks

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

account = pytest.fixture(fresh_account)

SEED = 20240115
BODIES = 240
"""For each of three webhooks."""
AT_ONCE = 8
WRONG = ("&token=x", "&token=x", "&call=y", "")


async def test_nonsense_is_answered_and_changes_nothing(
    client: Client, carrier: Carrier, webhooks: Webhooks, say: Callable[[str], None]
) -> None:
    carrier.plans.default = RINGING
    over, live = await client.call(), await client.call()
    await webhooks.is_over(over, 330)
    phone = await client.phone(live["agentId"])
    before = await client.answer("GET", f"/calls/{over['_id']}")
    balance = (await client.answer("GET", "/billing/balance"))["balance"]["balance"]
    answers = [
        answer
        for number, (kind, addresses, fields) in enumerate(targets(webhooks, over, live, phone))
        for answer in await answered(webhooks.http, kind, addresses, fields, SEED + number)
    ]
    said = Counter(response.status_code for _, response in answers)
    server_errors = sum(count for status, count in said.items() if status >= 500)
    say(f"webhook fuzz: {len(answers)} bodies, {server_errors} server errors ({dict(sorted(said.items()))})")
    assert len(answers) >= 500
    for is_ours, response in answers:
        assert response.status_code < 500, response.text
        assert is_ours or response.status_code in (400, 401, 413), response.text
        if response.status_code >= 400:
            assert response.json()["success"] is False
    assert said[200] >= 50
    assert said[400] >= 50
    assert said[401] >= 50
    assert await client.answer("GET", f"/calls/{over['_id']}") == before
    assert (await client.answer("GET", "/billing/balance"))["balance"]["balance"] == balance
    assert (await client.answer("GET", f"/calls/{live['_id']}"))["call"]["_id"] == live["_id"]


def targets(
    webhooks: Webhooks, over: dict[str, Any], live: dict[str, Any], phone: dict[str, Any]
) -> list[tuple[str, list[str], dict[str, str]]]:
    """Each webhook with addresses that are ours, and the fields that would be right there."""
    rung = webhooks.local(phone["incomingUrl"])
    news = {"CallSid": over["exotelCallSid"], "CallStatus": "failed", "CallDuration": "7", "Direction": "outbound"}
    recorded = {"CallSid": over["exotelCallSid"], "RecordingUrl": "https://evil.example/other.mp3"}
    announced = {"From": "+919123456789", "To": phone["number"], "CallSid": over["exotelCallSid"]}
    return [
        ("status", [webhooks.status(over["_id"]), webhooks.status(live["_id"])], news),
        ("recording", [webhooks.recording(over["_id"])], recorded),
        ("incoming", [rung], announced),
    ]


async def answered(
    http: httpx.AsyncClient, kind: str, addresses: list[str], fields: dict[str, str], seed: int
) -> list[tuple[bool, httpx.Response]]:
    """Whether each address was ours, and what came back; every third has a token that is wrong."""
    free = asyncio.Semaphore(AT_ONCE)

    async def post(number: int, content_type: str, body: bytes) -> tuple[bool, httpx.Response]:
        address = addresses[number % len(addresses)]
        is_ours = number % 3 != 0
        if not is_ours:
            address = address.partition("&token=")[0] + WRONG[number // 3 % len(WRONG)]
        headers = {"Content-Type": content_type} if content_type else {}
        async with free:
            return is_ours, await http.post(address, content=body, headers=headers)

    bodies = islice(odd_bodies(fields, seed), BODIES)
    return await asyncio.gather(*(post(number, *body) for number, body in enumerate(bodies)))
