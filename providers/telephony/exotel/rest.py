"""Exotel's call API: POST /v1/Accounts/{sid}/Calls/connect.json in its "Connect Voice AI" shape.

A trap in the names: `From` is who is dialled, `CallerId` is our own number.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from models.errors import Invalid, ProviderError
from providers.http_failures import retry_after_s
from providers.roles import CarrierCredentials, IncomingCall, PlaceCall, PlacedCall, StatusUpdate
from providers.telephony.exotel import webhooks

PROVIDER = "exotel"
CONNECT_ATTEMPTS = 2
STATUS_EVENTS = ("terminal", "answered", "ringing")

_DOMAINS = (".exotel.com", ".exotel.in")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?")
_MAX_TIME_LIMIT_S = 14_400
_LONG_NUMBER = re.compile(r"\d{5,}")
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

log = logging.getLogger(__name__)


class ExotelTelephony:
    """Satisfies `roles.Telephony`. `http` has the timeout; `base_url` replaces https://SUBDOMAIN if given."""

    def __init__(self, http: httpx.AsyncClient, *, base_url: str | None = None, pause_s: float = 0.2) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/") if base_url else None
        self._pause_s = pause_s

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        """Dial. Only a connection that could not be opened is tried again; after that nobody knows who was rung."""
        host = self._base_url or f"https://{host_of(credentials.subdomain)}"
        url = f"{host}/v1/Accounts/{quote(credentials.sid, safe='')}/Calls/connect.json"
        auth = httpx.BasicAuth(credentials.api_key, credentials.api_token)
        for attempt in range(1, CONNECT_ATTEMPTS + 1):
            try:
                response = await self._http.post(url, data=_form(request), auth=auth)
            except _NEVER_SENT as error:
                if attempt == CONNECT_ATTEMPTS:
                    raise _failure("the carrier cannot be reached", retryable=True) from error
                log.warning("carrier unreachable, trying again", extra={"provider": PROVIDER})
                await asyncio.sleep(self._pause_s)
            except httpx.HTTPError as error:
                raise _failure("the carrier did not answer; it may be dialling", retryable=False) from error
            else:
                return _placed(response)
        raise AssertionError("the last attempt returns or raises")

    def parse_incoming(self, body: Mapping[str, object]) -> IncomingCall:
        """See `webhooks.parse_incoming`."""
        return webhooks.parse_incoming(body)

    def parse_status(self, body: Mapping[str, object]) -> StatusUpdate:
        """See `webhooks.parse_status`."""
        return webhooks.parse_status(body)


def host_of(subdomain: str) -> str:
    """`api.in.exotel.com`, however the customer wrote it (`@api.in.exotel.com`, `https://…/`, `api.in`).

    Always a host of Exotel's, so that an account cannot point our requests anywhere else; raises Invalid.
    """
    bare = subdomain.strip().lower().removeprefix("https://").removeprefix("@").rstrip("/")
    if not _HOST.fullmatch(bare):
        raise Invalid("The carrier's subdomain is not a host name")
    return bare if f".{bare}".endswith(_DOMAINS) else bare + _DOMAINS[0]


def _form(request: PlaceCall) -> dict[str, str | list[str]]:
    return {
        "From": request.to_number,
        "CallerId": request.from_number,
        "StreamUrl": request.media_url,
        "StreamType": "bidirectional",
        "StatusCallback": request.status_url,
        "StatusCallbackEvents[]": list(STATUS_EVENTS),
        "StatusCallbackContentType": "application/json",
        "TimeLimit": str(min(request.time_limit_s, _MAX_TIME_LIMIT_S)),
        "TimeOut": str(request.ring_timeout_s),
    }


def _placed(response: httpx.Response) -> PlacedCall:
    """The call's id out of a 2xx. Its `Status` is no news: `in-progress` stands there before anybody was rung."""
    body = _json(response)
    if not response.is_success or "RestException" in body:
        raise _refusal(response, body)
    call = body.get("Call")
    sid = call.get("Sid") if isinstance(call, dict) else _xml(response.text, "Sid")
    if not isinstance(sid, str) or not sid:
        raise _failure("the carrier's answer names no call", retryable=False)
    return PlacedCall(sid)


def _refusal(response: httpx.Response, body: Mapping[str, Any]) -> ProviderError:
    """Only 429 says for certain that nothing was dialled and that later may be better."""
    exception = body.get("RestException")
    said = exception.get("Message") if isinstance(exception, dict) else _xml(response.text, "Message")
    reason = _LONG_NUMBER.sub("#", str(said))[:200] if said else "no reason given"
    return ProviderError(
        f"the carrier refused the call (HTTP {response.status_code}): {reason}",
        provider=PROVIDER,
        retryable=response.status_code == httpx.codes.TOO_MANY_REQUESTS,
        retry_after_s=retry_after_s(response.headers),
    )


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _xml(text: str, tag: str) -> str | None:
    """One element of the XML that some errors come in; a parser would be exposed to more XML than that."""
    found = re.search(rf"<{tag}>([^<]{{1,500}})</{tag}>", text)
    return found[1].strip() if found else None


def _failure(message: str, *, retryable: bool) -> ProviderError:
    return ProviderError(message, provider=PROVIDER, retryable=retryable)
