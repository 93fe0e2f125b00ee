"""Calls an agent's function over HTTP and makes text for the language model of the answer.

Once, within the function's own time: whether a function may be called twice only its owner knows.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import cast

import httpx

from models.errors import Forbidden, Invalid, ProviderError
from models.settings import Settings
from models.tool import HttpTool
from providers.tools.addresses import AddressGuard
from providers.tools.transport import CONNECT_S, GuardedBackend, GuardedTransport

PROVIDER = "function"
READ_BYTES = 16_384
"""What is read of an answer; the rest is left where it is."""
TOLD_CHARS = 4_096
"""What the model is told of it."""
RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""What the connection itself is made of (lower case): no owner sets these."""

_CUT = " ... (cut)"
_OURS = {"Accept": "application/json, text/*;q=0.9", "User-Agent": "Callboard", "Accept-Encoding": "identity"}
_TEXTUAL = ("application/json", "application/xml", "application/problem+json", "text/")

log = logging.getLogger(__name__)


class HttpTools:
    """Functions of all agents. `transport` keeps the connections; the guard says where they may lead."""

    def __init__(self, guard: AddressGuard, transport: httpx.AsyncBaseTransport) -> None:
        self._guard = guard
        self._transport = transport

    async def call(self, tool: HttpTool, arguments: Mapping[str, object]) -> str:
        """What the function answered, or that it failed, with the status and its own words.

        Raises ProviderError when there is no answer, and Forbidden when the function's address is none it may have;
        their messages are fit for the model.
        """
        self._check(tool.url)
        try:
            async with asyncio.timeout(tool.timeout_s):
                return await self._ask(_request(tool, arguments))
        except (TimeoutError, httpx.TimeoutException) as error:
            log.info("a function did not answer in time")
            raise _failure(f"The function did not answer within {tool.timeout_s:g} seconds", retryable=True) from error
        except httpx.HTTPError as error:
            log.info("a function cannot be reached", extra={"failure": type(error).__name__})
            raise _failure("The function cannot be reached", retryable=True) from error

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _check(self, url: str) -> None:
        try:
            self._guard.check_url(url)
        except Invalid as error:
            raise Forbidden(f"The function's address {error.message}") from error

    async def _ask(self, request: httpx.Request) -> str:
        response = await self._transport.handle_async_request(request)
        try:
            if 300 <= response.status_code < 400:
                text = f"The function answered with a redirect (HTTP {response.status_code}), which is not followed"
                raise _failure(text, retryable=False)
            return told(response.status_code, response.headers, await _beginning(response))
        finally:
            await response.aclose()


def http_tools(settings: Settings) -> HttpTools:
    """The client that the settings describe; one per process."""
    guard = guard_of(settings)
    return HttpTools(guard, GuardedTransport(GuardedBackend(guard)))


def guard_of(settings: Settings) -> AddressGuard:
    """What the settings let functions reach."""
    return AddressGuard(settings.tool_allowed_names, settings.tool_allowed_networks)


def told(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """An answer as text for the model: JSON without its white space, other text as it is, long ones cut."""
    said = _text(headers, body)
    if 200 <= status < 300:
        return said or "The function succeeded and returned nothing."
    return f"The function failed with HTTP status {status}" + (f": {said}" if said else ".")


def _request(tool: HttpTool, arguments: Mapping[str, object]) -> httpx.Request:
    headers = httpx.Headers(_OURS)
    headers.update({name: value for name, value in tool.headers.items() if name.lower() not in RESERVED_HEADERS})
    timeouts = httpx.Timeout(tool.timeout_s, connect=min(CONNECT_S, tool.timeout_s)).as_dict()
    url = httpx.URL(tool.url).copy_with(fragment=None)
    if tool.method == "GET":
        query = {name: _query_value(value) for name, value in arguments.items() if value is not None}
        return httpx.Request(
            tool.method, url.copy_merge_params(query), headers=headers, extensions={"timeout": timeouts}
        )
    return httpx.Request(tool.method, url, headers=headers, json=dict(arguments), extensions={"timeout": timeouts})


def _query_value(value: object) -> str:
    """Text as it is, anything else as JSON: 3, true, ["a"]."""
    return value if isinstance(value, str) else _json(value)


async def _beginning(response: httpx.Response) -> bytes:
    read = bytearray()
    stream = cast("httpx.AsyncByteStream", response.stream)
    async with aclosing(cast("AsyncGenerator[bytes, None]", aiter(stream))) as parts:
        async for part in parts:
            read += part
            if len(read) > READ_BYTES:
                break
    return bytes(read[:READ_BYTES])


def _text(headers: Mapping[str, str], body: bytes) -> str:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if headers.get("content-encoding", "identity").lower() != "identity":  # it was asked for plain text
        return "(compressed data)"
    if kind and not (kind.startswith(_TEXTUAL) or kind.endswith("+json")):
        return f"(data of type {kind[:100]})" if body else ""
    text = _compact(body.decode(errors="replace").strip())
    return text if len(text) <= TOLD_CHARS else text[: TOLD_CHARS - len(_CUT)] + _CUT


def _compact(text: str) -> str:
    try:
        return _json(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _failure(message: str, *, retryable: bool) -> ProviderError:
    return ProviderError(message, provider=PROVIDER, retryable=retryable)
