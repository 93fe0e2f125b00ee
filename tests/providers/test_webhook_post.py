"""Sending a webhook: where it may go, how long it may take, what is kept of the answer."""

import asyncio
from ipaddress import ip_address, ip_network

import httpx
import pytest

from models.errors import Forbidden, ProviderError
from models.settings import Settings
from providers.tools.addresses import Address, AddressGuard
from providers.tools.transport import GuardedBackend, GuardedTransport
from providers.webhooks import READ_BYTES, WebhookPost, webhook_guard
from tests.virtual_time import virtual

HOOK = "https://example.com/hook"


async def test_the_body_goes_out_as_it_is_with_its_headers() -> None:
    seen: list[httpx.Request] = []

    def receiver(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, text="taken")

    post = WebhookPost(AddressGuard(), httpx.MockTransport(receiver))
    answer = await post.send(HOOK + "?a=b#part", {"X-Webhook-Event": "call.ended"}, b'{"event":"call.ended"}')
    assert (answer.status, answer.text) == (202, "taken")
    (request,) = seen
    assert (request.method, str(request.url), request.content) == ("POST", HOOK + "?a=b", b'{"event":"call.ended"}')
    assert request.headers["X-Webhook-Event"] == "call.ended"
    await post.aclose()


async def test_of_an_endless_answer_the_beginning_is_kept() -> None:
    post = WebhookPost(AddressGuard(), httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 100_000)))
    assert len((await post.send(HOOK, {}, b"{}")).text) == READ_BYTES


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    seen: list[str] = []

    def receiver(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(307, headers={"Location": "http://127.0.0.1:1/"})

    post = WebhookPost(AddressGuard(), httpx.MockTransport(receiver))
    assert ((await post.send(HOOK, {}, b"{}")).status, seen) == (307, [HOOK])


@virtual
async def test_who_does_not_answer_in_time_is_not_waited_for() -> None:
    async def receiver(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(11)
        return httpx.Response(200)

    post = WebhookPost(AddressGuard(), httpx.MockTransport(receiver))
    with pytest.raises(ProviderError, match="did not answer within 10 seconds"):
        await post.send(HOOK, {}, b"{}")


async def test_who_is_not_there_cannot_be_reached() -> None:
    def nobody(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ProviderError, match="cannot be reached"):
        await WebhookPost(AddressGuard(), httpx.MockTransport(nobody)).send(HOOK, {}, b"{}")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://10.1.2.3/", "http://169.254.169.254/", "http://[::1]/", "http://localhost/"]
)
async def test_addresses_of_our_own_network_are_refused(url: str) -> None:
    post = WebhookPost(AddressGuard(), httpx.MockTransport(lambda _: httpx.Response(200)))
    with pytest.raises(Forbidden):
        await post.send(url, {}, b"{}")


async def test_a_name_that_leads_to_our_own_network_is_refused_each_time() -> None:
    asked: list[str] = []

    async def rebound(host: str, _: int) -> list[Address]:
        asked.append(host)
        return [ip_address("10.0.0.7")]

    guard = AddressGuard()
    post = WebhookPost(guard, GuardedTransport(GuardedBackend(guard, rebound)))
    for _ in range(2):
        with pytest.raises(Forbidden, match="does not lead to the public internet"):
            await post.send(HOOK, {}, b"{}")
    assert asked == ["example.com", "example.com"]
    await post.aclose()


def test_the_settings_open_what_the_operator_runs() -> None:
    settings = Settings(_env_file=None, webhook_allowed_targets="crm.internal, 10.1.0.0/16")
    guard = webhook_guard(settings)
    assert guard == AddressGuard(frozenset({"crm.internal"}), (ip_network("10.1.0.0/16"),))
    with pytest.raises(ValueError, match="webhook_allowed_targets"):
        Settings(_env_file=None, webhook_allowed_targets="10.1.0.0/99")
