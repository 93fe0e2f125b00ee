"""Sends webhooks to customers' addresses: over checked connections, without following redirects, within a deadline."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, cast

import httpx

from models.errors import Forbidden, Invalid, ProviderError
from models.settings import Settings
from providers.tools.addresses import AddressGuard
from providers.tools.transport import CONNECT_S, GuardedBackend, GuardedTransport

PROVIDER = "webhook"
TOTAL_S = 10.0
"""For one attempt, from looking up the name to the last byte that is read."""
READ_BYTES = 2_048
"""What is read, and kept, of an answer."""

_OURS = {"User-Agent": "Callboard", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: the status, the beginning of its words, and how long it took."""

    status: int
    text: str
    elapsed_ms: int


class Post(Protocol):
    """Whoever carries a request to an address."""

    async def send(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Raises ProviderError when there is no answer, and Forbidden for an address that may not be reached; their
        messages are fit for the endpoint's owner."""


class WebhookPost:
    """Of all endpoints. `transport` keeps the connections; the guard says where they may lead."""

    def __init__(self, guard: AddressGuard, transport: httpx.AsyncBaseTransport, *, total_s: float = TOTAL_S) -> None:
        self._guard = guard
        self._transport = transport
        self._total_s = total_s

    async def send(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """As `Post.send`."""
        self._check(url)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._total_s):
                status, text = await self._ask(self._request(url, headers, content))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _failure(f"The receiver did not answer within {self._total_s:g} seconds") from error
        except httpx.HTTPError as error:
            raise _failure("The receiver cannot be reached") from error
        except Forbidden as error:
            raise Forbidden("The address does not lead to the public internet") from error
        return Answer(status, text, int((time.monotonic() - begun) * 1000))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _check(self, url: str) -> None:
        try:
            self._guard.check_url(url)
        except Invalid as error:
            raise Forbidden(f"The address {error.message}") from error

    def _request(self, url: str, headers: Mapping[str, str], content: bytes) -> httpx.Request:
        timeouts = httpx.Timeout(self._total_s, connect=min(CONNECT_S, self._total_s)).as_dict()
        at = httpx.URL(url).copy_with(fragment=None)
        extensions = {"timeout": timeouts}
        return httpx.Request("POST", at, headers={**_OURS, **headers}, content=content, extensions=extensions)

    async def _ask(self, request: httpx.Request) -> tuple[int, str]:
        response = await self._transport.handle_async_request(request)
        try:
            return response.status_code, (await _beginning(response)).decode(errors="replace")
        finally:
            await response.aclose()


def webhook_guard(settings: Settings) -> AddressGuard:
    """What the settings let webhooks reach."""
    return AddressGuard(settings.webhook_target_names, settings.webhook_target_networks)


def webhook_post(settings: Settings) -> WebhookPost:
    """The sender that the settings describe; one per process."""
    guard = webhook_guard(settings)
    return WebhookPost(guard, GuardedTransport(GuardedBackend(guard)))


async def _beginning(response: httpx.Response) -> bytes:
    read = bytearray()
    stream = cast("httpx.AsyncByteStream", response.stream)
    async with aclosing(cast("AsyncGenerator[bytes, None]", aiter(stream))) as parts:
        async for part in parts:
            read += part
            if len(read) > READ_BYTES:
                break
    return bytes(read[:READ_BYTES])


def _failure(message: str) -> ProviderError:
    return ProviderError(message, provider=PROVIDER, retryable=True)
