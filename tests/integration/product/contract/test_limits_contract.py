"""Rate limits as documented, over HTTP: the numbers, the headers, the refusal."""

import time

import httpx
import pytest

from models.settings import Settings
from simulators.carrier import Carrier
from tests.integration.product.contract.client import Client, refused
from tests.integration.product.contract.webhooks import Webhooks
from tests.integration.product.customer import from_anywhere

pytestmark = pytest.mark.integration

REFUSAL = {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests, please try again later"}


def figures(response: httpx.Response) -> tuple[int, int, int]:
    """Limit, what remains, and in how many seconds the window ends."""
    limit, remaining, reset = (int(response.headers[f"X-RateLimit-{n}"]) for n in ("Limit", "Remaining", "Reset"))
    return limit, remaining, round(reset - time.time())


def test_the_documented_numbers_are_the_defaults() -> None:
    numbers = Settings(_env_file=None)
    assert (numbers.limit_auth_per_ip, numbers.limit_auth_window_s) == (5, 15 * 60)
    assert (numbers.limit_api_per_user, numbers.limit_api_window_s) == (100, 15 * 60)
    assert (numbers.limit_outbound_per_user, numbers.limit_outbound_window_s) == (10, 60)


async def test_logins_are_limited_to_5_in_15_minutes_by_address(nobody: Client) -> None:
    here = from_anywhere()
    body = {"email": "nobody@example.com", "password": "not a password"}
    for left in (4, 3, 2, 1, 0):
        response = await nobody.send("POST", "/auth/login", body, headers=here)
        assert response.status_code == 401
        assert figures(response)[:2] == (5, left)
        assert 800 < figures(response)[2] <= 901
    for path, other in (("login", body), ("refresh", {"refreshToken": "x"}), ("signup", body)):
        response = await nobody.send("POST", f"/auth/{path}", other, headers=here)
        error = refused(response, 429)
        wait = error["details"]["retryAfter"]
        assert error == {**REFUSAL, "details": {"retryAfter": wait}}
        assert 0 < wait <= 900
        assert response.headers["Retry-After"] == str(wait)
        assert figures(response)[:2] == (5, 0)
    elsewhere = await nobody.send("POST", "/auth/login", body, headers=from_anywhere())
    assert elsewhere.status_code == 401


async def test_answers_say_how_many_requests_are_left(client: Client, nobody: Client) -> None:
    first, second = [figures(await client.send("GET", path)) for path in ("/agents", "/calls")]
    assert first[0] == second[0] == 100_000
    assert second[1] == first[1] - 1
    assert 0 < second[2] <= 901
    missing = await client.send("GET", "/agents/64f8a1b2c3d4e5f6a7b8c9d1")
    assert (missing.status_code, figures(missing)[1]) == (404, second[1] - 1)


async def test_a_key_with_a_limit_of_its_own_is_counted_apart(client: Client, http: httpx.AsyncClient) -> None:
    wanted = {"name": "Five", "scope": "read", "rateLimit": 5}
    key = (await client.answer("POST", "/api-keys", wanted, status=201))["apiKey"]["key"]
    program = Client(http, key)
    for left in (4, 3, 2, 1, 0):
        response = await program.send("GET", "/agents")
        assert (response.status_code, figures(response)[:2]) == (200, (5, left))
    response = await program.send("GET", "/calls")
    error = refused(response, 429)
    assert {name: error[name] for name in REFUSAL} == REFUSAL
    assert response.headers["Retry-After"] == str(error["details"]["retryAfter"])
    assert (await client.send("GET", "/agents")).status_code == 200


async def test_ten_calls_a_minute_are_begun_and_no_more(client: Client, carrier: Carrier, webhooks: Webhooks) -> None:
    order = await client.order()
    for left in range(9, -1, -1):
        response = await client.send("POST", "/calls/outbound", order)
        assert response.status_code == 201, response.text
        assert figures(response)[:2] == (10, left)
        await webhooks.tell(response.json()["data"]["call"], "busy")
    response = await client.send("POST", "/calls/outbound", order)
    error = refused(response, 429)
    assert 0 < error["details"]["retryAfter"] <= 60
    assert len(carrier.calls) == 10
    assert (await client.send("GET", "/calls")).status_code == 200


async def test_webhooks_are_not_counted(client: Client, webhooks: Webhooks) -> None:
    phone = await client.phone(await client.agent())
    body = {"CallSid": "unknown", "CallStatus": "completed"}
    url = webhooks.local(phone["incomingUrl"]).replace("/incoming?", "/status?")
    for _ in range(30):
        response = await webhooks.http.post(url, json=body)
        assert response.status_code == 404
        assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]
