"""Connections go to the addresses that were checked, and to no others."""

import ssl
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import httpcore
import httpx
import pytest

from models.errors import Forbidden
from providers.tools.addresses import Address, AddressGuard
from providers.tools.transport import GuardedBackend, GuardedTransport, resolve

PUBLIC, OTHER, PRIVATE = "203.0.114.7", "203.0.114.8", "10.0.0.7"


class Stream(httpcore.AsyncNetworkStream):
    """A connection that answers every request with `ok`."""

    def __init__(self) -> None:
        self.sent = b""
        self.tls_name: str | None = None
        self._answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return self._answer.pop(0) if self._answer else b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.sent += buffer

    async def aclose(self) -> None:
        return None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        assert ssl_context.check_hostname
        self.tls_name = server_hostname
        return self


class Network(httpcore.AsyncNetworkBackend):
    """Connects to every address but those that are `down`."""

    def __init__(self, *down: str) -> None:
        self.down = down
        self.tried: list[tuple[str, int]] = []
        self.stream = Stream()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.tried.append((host, port))
        if host in self.down:
            raise httpcore.ConnectError("refused")
        return self.stream


class Resolver:
    """Answers with one list of addresses after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        return [ip_address(text) for text in self.answers.pop(0)]


async def get(url: str, network: Network, resolver: Resolver) -> httpx.Response:
    transport = GuardedTransport(GuardedBackend(AddressGuard(), resolver, network))
    try:
        response = await transport.handle_async_request(httpx.Request("GET", url))
        await response.aread()
        return response
    finally:
        await transport.aclose()


async def test_the_checked_address_is_connected_and_the_name_kept() -> None:
    network = Network()
    response = await get("https://api.example.com/x?y=1", network, Resolver([PUBLIC]))
    assert (response.status_code, response.text) == (200, "ok")
    assert network.tried == [(PUBLIC, 443)]
    assert network.stream.tls_name == "api.example.com"
    assert network.stream.sent.startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: api.example.com\r\n")


async def test_a_name_that_leads_elsewhere_the_second_time_is_asked_for_once_only() -> None:
    network, resolver = Network(), Resolver([PUBLIC], [PRIVATE])
    await get("http://rebinding.example.com/", network, resolver)
    assert network.tried == [(PUBLIC, 80)]
    assert resolver.answers == [[PRIVATE]]


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["::1"], ["169.254.169.254"]])
async def test_a_private_address_among_them_is_enough_to_refuse(addresses: list[str]) -> None:
    network = Network()
    with pytest.raises(Forbidden):
        await get("http://inside.example.com/", network, Resolver(addresses))
    assert network.tried == []


async def test_the_next_address_is_tried_when_one_is_down() -> None:
    network = Network(PUBLIC)
    assert (await get("http://api.example.com:8080/", network, Resolver([PUBLIC, OTHER]))).text == "ok"
    assert network.tried == [(PUBLIC, 8080), (OTHER, 8080)]


@pytest.mark.parametrize("answer", [[], [PUBLIC, OTHER]])
async def test_no_address_and_none_that_answers_are_connection_errors(answer: list[str]) -> None:
    with pytest.raises(httpx.TransportError):
        await get("http://api.example.com/", Network(PUBLIC, OTHER), Resolver(answer))


async def test_a_name_that_does_not_resolve_is_a_connection_error() -> None:
    async def unknown(host: str, port: int) -> Sequence[Address]:
        raise OSError(-2, "Name or service not known")

    backend = GuardedBackend(AddressGuard(), unknown, Network())
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("nowhere.example.com", 80)


async def test_the_systems_resolver_reads_literals() -> None:
    assert await resolve("127.0.0.1", 80) == (ip_address("127.0.0.1"),)
    assert await resolve("::1", 80) == (ip_address("::1"),)
