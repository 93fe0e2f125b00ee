"""Exotel's call API: POST /v1/Accounts/{sid}/Calls/connect.json in its "Connect Voice AI" shape, and what can be read.

A trap in the names: `From` is who is dialled, `CallerId` is our own number.
"""

import asyncio
import json
import logging
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from models.errors import Invalid, ProviderError
from providers.http_failures import connection_failure, retry_after_s, status_failure
from providers.roles import (
    CarrierCredentials,
    IncomingCall,
    PlaceCall,
    PlacedCall,
    SendSms,
    SentSms,
    SmsUpdate,
    StatusUpdate,
)
from providers.telephony.exotel import sms as messages, webhooks

PROVIDER = "exotel"
CONNECT_ATTEMPTS = 2
STATUS_EVENTS = ("terminal", "answered", "ringing")

_DOMAINS = (".exotel.com", ".exotel.in")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?")
_MAX_TIME_LIMIT_S = 14_400
_LONG_NUMBER = re.compile(r"\d{5,}")
_WRONG_ACCOUNT: Mapping[int, str] = {
    401: "Exotel does not accept the API key and token",
    403: "Exotel does not accept the API key and token",
    404: "Exotel knows no account with this sid",
}
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
        try:
            response = await self._send(credentials, "POST", "Calls/connect.json", data=_form(request))
        except httpx.HTTPError as error:
            raise _failure("the carrier did not answer; it may be dialling", retryable=False) from error
        return _placed(response)

    async def send_sms(self, credentials: CarrierCredentials, sms: SendSms) -> SentSms:
        """POST /v1/Accounts/{sid}/Sms/send.json; see `sms`. Tried again only as `place_call` is."""
        try:
            response = await self._send(credentials, "POST", "Sms/send.json", data=messages.form(sms))
        except httpx.HTTPError as error:
            raise _failure(messages.UNKNOWN, retryable=False) from error
        body = _json(response)
        if response.status_code in messages.SAID_BY_OTHERS:
            raise _failure(messages.UNKNOWN, retryable=False)
        if not response.is_success or "RestException" in body:
            raise _refusal(response, body, "text message", later=messages.LATER)
        if messages.has_failed(body):
            raise _failure("the carrier did not take the text message", retryable=False)
        return SentSms(messages.sid(body))

    async def check_account(self, credentials: CarrierCredentials) -> None:
        """Read one line of the account's list of calls: the cheapest request that needs all four credentials.

        Exotel answers 401 or 403 to a wrong key or token and 404 to an unknown account; anything else that is not an
        answer says nothing about the credentials.
        """
        response = await self._read(credentials, "Calls.json", PageSize="1")
        status = _status(response, _json(response))
        if status in _WRONG_ACCOUNT:
            raise Invalid(_WRONG_ACCOUNT[status])
        if status != httpx.codes.OK:
            raise status_failure(PROVIDER, status, response.headers)

    async def fetch_call(self, credentials: CarrierCredentials, carrier_call_id: str) -> StatusUpdate | None:
        """GET /v1/Accounts/{sid}/Calls/{CallSid}.json?details=true; see `webhooks.parse_details`."""
        path = f"Calls/{quote(carrier_call_id, safe='')}.json"
        response = await self._read(credentials, path, details="true")
        body = _json(response)
        status = _status(response, body)
        if status == httpx.codes.NOT_FOUND:
            return None
        call = body.get("Call")
        if status != httpx.codes.OK or not isinstance(call, dict):
            raise status_failure(PROVIDER, status, response.headers)
        return webhooks.parse_details(carrier_call_id, call)

    def parse_incoming(self, body: Mapping[str, object]) -> IncomingCall:
        """See `webhooks.parse_incoming`."""
        return webhooks.parse_incoming(body)

    def parse_status(self, body: Mapping[str, object]) -> StatusUpdate:
        """See `webhooks.parse_status`."""
        return webhooks.parse_status(body)

    def parse_sms(self, body: Mapping[str, object]) -> SmsUpdate:
        """See `webhooks.parse_sms`."""
        return webhooks.parse_sms(body)

    async def _read(self, credentials: CarrierCredentials, path: str, **params: str) -> httpx.Response:
        try:
            return await self._send(credentials, "GET", path, params=params)
        except httpx.HTTPError as error:
            raise connection_failure(PROVIDER, error) from error

    async def _send(
        self,
        credentials: CarrierCredentials,
        method: str,
        path: str,
        *,
        data: Mapping[str, str | list[str]] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request under the account; raises httpx.HTTPError when it may have arrived, else ProviderError."""
        host = self._base_url or f"https://{host_of(credentials.subdomain)}"
        url = f"{host}/v1/Accounts/{quote(credentials.sid, safe='')}/{path}"
        auth = httpx.BasicAuth(credentials.api_key, credentials.api_token)
        for attempt in range(1, CONNECT_ATTEMPTS + 1):
            try:
                return await self._http.request(method, url, data=data, params=params, auth=auth)
            except _NEVER_SENT as error:
                if attempt == CONNECT_ATTEMPTS:
                    raise _failure("the carrier cannot be reached", retryable=True) from error
                log.warning("carrier unreachable, trying again", extra={"provider": PROVIDER})
                await asyncio.sleep(self._pause_s)
        raise AssertionError("the last attempt returns or raises")


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
        raise _refusal(response, body, "call")
    call = body.get("Call")
    sid = call.get("Sid") if isinstance(call, dict) else _xml(response.text, "Sid")
    if not isinstance(sid, str) or not sid:
        raise _failure("the carrier's answer names no call", retryable=False)
    return PlacedCall(sid)


def _status(response: httpx.Response, body: Mapping[str, Any]) -> int:
    """The HTTP status, or that of an error object which came with a 2xx."""
    exception = body.get("RestException")
    if not response.is_success or exception is None:
        return response.status_code
    said = str(exception.get("Status")) if isinstance(exception, dict) else ""
    return int(said) if said.isascii() and said.isdigit() and len(said) == 3 else httpx.codes.BAD_GATEWAY


def _refusal(
    response: httpx.Response, body: Mapping[str, Any], what: str, later: Collection[int] = (429,)
) -> ProviderError:
    """Only 429 says for certain that nothing was dialled and that later may be better."""
    exception = body.get("RestException")
    said = exception.get("Message") if isinstance(exception, dict) else _xml(response.text, "Message")
    reason = _LONG_NUMBER.sub("#", str(said))[:200] if said else "no reason given"
    return ProviderError(
        f"the carrier refused the {what} (HTTP {response.status_code}): {reason}",
        provider=PROVIDER,
        retryable=_status(response, body) in later,
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
