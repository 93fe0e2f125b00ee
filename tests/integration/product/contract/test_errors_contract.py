"""What holds for every operation: who is let in, what is not there, and how each error looks."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from models.document import new_id
from models.settings import Settings
from simulators.carrier import Carrier
from tests.integration.product.contract.accounts import insert_account
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.operations import operations
from tests.integration.product.contract.webhooks import Webhooks
from tests.integration.product.customer import CALLER, Account, agent_body, from_anywhere

pytestmark = pytest.mark.integration

NOWHERE = "64f8a1b2c3d4e5f6a7b8c9d9"


async def test_every_secured_operation_needs_a_token(nobody: Client, account: Account) -> None:
    secured = [operation for operation in await operations(nobody.http) if operation.is_secured]
    assert len(secured) >= 16
    for operation in secured:
        path = operation.at(dict.fromkeys(operation.placeholders, NOWHERE))
        for token in ("", "x.y.z", account.access[:-4], account.refresh, "cb_" + "x" * 43):
            error = await Client(nobody.http, token).refusal(401, operation.method, path, {})
            assert error["message"]
    for header in ("Basic dXNlcjpwYXNz", "Bearer", "Token x"):
        await nobody.refusal(401, "GET", "/auth/me", headers={"Authorization": header})


async def test_nobody_without_credit_is_called_for(platform: Settings, carrier: Carrier, nobody: Client) -> None:
    poor = Client(nobody.http, (await insert_account(platform, nobody.http, "user")).access)
    assert (await poor.answer("GET", "/auth/me"))["user"]["credits"] == 0
    await poor.refusal(402, "POST", "/calls/outbound", await poor.order())
    assert carrier.calls == {}
    assert (await poor.answer("GET", "/calls"))["calls"] == []


async def test_nobody_without_credit_is_called_at(platform: Settings, nobody: Client, webhooks: Webhooks) -> None:
    poor = Client(nobody.http, (await insert_account(platform, nobody.http, "user")).access)
    phone = await poor.phone(await poor.agent())
    body = {"From": CALLER, "To": phone["number"], "CallSid": new_id(), "Direction": "inbound"}
    response = await poor.http.post(webhooks.local(phone["incomingUrl"]), json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (402, "INSUFFICIENT_CREDITS")


async def test_unknown_routes_and_methods_are_answered_in_the_envelope(client: Client) -> None:
    for nothing in ("/nothing/here", "/agents/a%0Ab", "/../v9/agents"):
        await client.refusal(404, "GET", nothing)
    response = await client.send("PATCH", "/agents")
    assert (response.status_code, response.json()["success"]) == (405, False)
    assert response.headers["Allow"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"'])
async def test_a_body_that_is_no_object_is_a_bad_request(client: Client, content: bytes) -> None:
    request: dict[str, Any] = {"content": content, "headers": {"Content-Type": "application/json"}}
    for method, path in (("POST", "/agents"), ("POST", "/calls/outbound"), ("POST", "/phones/import")):
        await client.refusal(400, method, path, **request)


async def test_a_body_without_end_is_not_read(client: Client) -> None:
    response = await client.send("POST", "/agents", agent_body(prompt="x" * (2 << 20)))
    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["success"] is False


async def test_another_body_under_a_used_key_is_unprocessable(client: Client, carrier: Carrier) -> None:
    headers = {"Idempotency-Key": "order-1"}
    order = await client.order()
    first = await client.answer("POST", "/calls/outbound", order, status=201, headers=headers)
    again = await client.answer("POST", "/calls/outbound", order, status=201, headers=headers)
    assert again == first
    assert len(carrier.calls) == 1
    await client.refusal(422, "POST", "/calls/outbound", order | {"metadata": {"a": 1}}, headers=headers)
    assert len(carrier.calls) == 1


@pytest.mark.skipif("REDIS_URL" in os.environ, reason="a Redis that is not ours is not stopped")
async def test_while_nothing_can_be_counted_logins_are_unavailable_and_the_rest_works(
    client: Client, platform: Settings, carrier: Carrier
) -> None:
    order = await client.order()
    with stopped(platform.redis_url or ""):
        credentials = {"email": "nobody@example.com", "password": "a wrong password"}
        response = await client.send("POST", "/auth/login", credentials, headers=from_anywhere())
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "INTERNAL_ERROR"
        assert int(response.headers["Retry-After"]) > 0
        assert (await client.send("GET", "/agents")).status_code == 200
        headers = {"Idempotency-Key": "while Redis is away"}
        assert (await client.send("POST", "/calls/outbound", order, headers=headers)).status_code == 201
    async with asyncio.timeout(10):  # each replica gives Redis a rest first
        while (await client.send("POST", "/auth/login", credentials, headers=from_anywhere())).status_code != 401:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


@contextmanager
def stopped(redis_url: str) -> Iterator[None]:
    """The Redis answers nobody meanwhile."""
    with Redis.from_url(redis_url) as redis:
        pid = int(redis.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
