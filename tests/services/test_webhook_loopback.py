"""Webhooks over real connections to a receiver on loopback, which only the settings open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from models.settings import Settings
from models.webhook import TEST
from providers.tools.addresses import AddressGuard
from providers.tools.transport import GuardedBackend, GuardedTransport
from providers.webhooks import WebhookPost, webhook_guard, webhook_post
from tests.services import webhook_shop
from tests.services.test_webhook_rules import verify_signature
from tests.services.webhook_shop import SECRET, WHOLE_CALL, Shop, events_of

pytestmark = pytest.mark.integration

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    """A receiver that speaks just enough HTTP; `answer` may be empty, which is a connection that is dropped."""

    answer: Callable[[], bytes] = lambda: OK
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    ready: asyncio.Event | None = None
    """It answers once this is set."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
                if self.ready is not None:
                    await self.ready.wait()
                writer.write(self.answer())
                await writer.drain()
                if not self.answer():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the sender has closed the connection
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[str]:
        """Its address, while it is up."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """An empty one."""
    async with webhook_shop.opened(settings) as shop:
        yield shop


@pytest.fixture
async def post() -> AsyncIterator[WebhookPost]:
    """As an operator has it who allows loopback."""
    post = webhook_post(Settings(_env_file=None, webhook_allowed_targets="127.0.0.0/8"))
    yield post
    await post.aclose()


async def test_a_receiver_that_is_down_gets_everything_in_order_once_it_is_up(shop: Shop, post: WebhookPost) -> None:
    server = Server()
    async with server.listening() as url:
        await shop.endpoint(url)
    shop.runner = shop.another_runner(post)
    call = await shop.whole_call()
    await shop.events.sweep(shop.now)
    await shop.pass_time(30, step_s=5)
    assert server.got == []
    async with server.listening(server.port):
        await shop.pass_time(60, step_s=5)
    assert [headers["x-webhook-id"] for headers, _ in server.got] == events_of(call.id, *WHOLE_CALL)
    assert all(verify_signature(body, headers["x-webhook-signature"], SECRET) for headers, body in server.got)
    assert {headers["content-type"] for headers, _ in server.got} == {"application/json"}


async def test_a_redirect_to_loopback_is_not_followed(shop: Shop, post: WebhookPost) -> None:
    inside = Server()
    async with inside.listening() as secret_url:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {secret_url}\r\nContent-Length: 0\r\n\r\n".encode()
        outside = Server(answer=lambda: moved)
        async with outside.listening() as url:
            endpoint = await shop.endpoint(url, events=("call.initiated",))
            shop.runner = shop.another_runner(post)
            await shop.events.happened(await shop.call(), shop.now)
            await shop.runner.drain()
    assert (len(outside.got), inside.got) == (1, [])
    found = await shop.service.log(shop.principal, endpoint.id, status="dead", event=None, page=1, limit=10)
    assert [each.error for each in found.items] == ["The receiver answered with HTTP status 302"]


async def test_a_receiver_that_is_too_slow_is_asked_again(shop: Shop) -> None:
    ready = asyncio.Event()
    server = Server(ready=ready)
    guard = AddressGuard(frozenset({"127.0.0.1"}))
    post = WebhookPost(guard, GuardedTransport(GuardedBackend(guard)), total_s=0.4)
    async with server.listening() as url:
        endpoint = await shop.endpoint(url, events=("call.initiated",))
        shop.runner = shop.another_runner(post)
        await shop.events.happened(await shop.call(), shop.now)
        await shop.runner.drain()
        ready.set()
        await shop.pass_time(1)
    assert len(server.got) == 2
    found = await shop.service.log(shop.principal, endpoint.id, status="delivered", event=None, page=1, limit=10)
    first, second = found.items[0].attempts
    assert (first.error, second.status_code) == ("The receiver did not answer within 0.4 seconds", 200)
    await post.aclose()


async def test_without_the_setting_loopback_is_not_even_tried(shop: Shop) -> None:
    post = webhook_post(Settings(_env_file=None))
    server = Server()
    async with server.listening() as url:
        endpoint = await shop.endpoint(url, events=("call.initiated",))
        shop.runner = shop.another_runner(post)
        await shop.events.happened(await shop.call(), shop.now)
        await shop.runner.drain()
        assert server.got == []
        attempt = await shop.service_with(post).test(shop.principal, endpoint.id, shop.now)
    assert attempt.error == "The address must lead to the public internet"
    await post.aclose()


async def test_a_test_says_what_the_receiver_said_and_is_in_the_log(shop: Shop, post: WebhookPost) -> None:
    server = Server()
    service = shop.service_with(post, webhook_guard(Settings(_env_file=None, webhook_allowed_targets="127.0.0.1")))
    async with server.listening() as url:
        endpoint = await shop.endpoint(url)
        attempt = await service.test(shop.principal, endpoint.id, shop.now)
    assert (attempt.is_success, attempt.status_code, attempt.response_body) == (True, 200, "ok")
    assert server.got[0][0]["x-webhook-event"] == TEST
    found = await service.log(shop.principal, endpoint.id, status=None, event=TEST, page=1, limit=10)
    assert [each.status for each in found.items] == ["delivered"]
    await shop.runner.drain()
    assert len(server.got) == 1
