"""A carrier that speaks Exotel's side: takes call orders over REST, rings, reports, connects callers to the platform.

It also calls in: announces an inbound call at the platform's webhook and connects the caller where the answer says.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.behaviour import Series
from simulators.call import Recorder, converse
from simulators.callbacks import Callbacks
from simulators.caller import Script
from simulators.exotel_applets import CONNECT_HEADERS, CONNECT_TIMEOUT_S, connect_query, numbers_in
from simulators.exotel_calls import (
    UNAUTHORIZED,
    BadRequest,
    CallState,
    DialRequest,
    Outcome,
    Refusal,
    call_body,
    callback_body,
    dial_request,
    incoming_form,
    list_body,
    page_size,
    reject_reason_in,
    stream_url_in,
)
from simulators.exotel_frames import StreamIds
from simulators.exotel_sms import sms_body
from simulators.report import CallReport
from simulators.text_messages import TextMessages
from simulators.web import LocalServer

_WEBHOOK_TIMEOUT_S = 10.0
_CALLBACK_GRACE_S = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one dialled call, and what its callee does."""

    script: Script
    outcome: Outcome = Outcome.ANSWERED
    dial_s: float = 0.2
    """From the order to the first ring."""
    ring_s: float = 0.8
    """From the first ring to the outcome."""
    lost: frozenset[str] = frozenset()
    """Status callbacks that never leave: `ringing`, `answered`, `terminal`."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account the platform must use; the key is the user name, the token the password."""

    sid: str = "demo"
    api_key: str = "demo-key"
    api_token: str = "demo-token"


@dataclass(slots=True)
class CarrierCall:
    """One call: the books, what was reported to the platform, and the report once it is over."""

    state: CallState
    callbacks: Callbacks
    lost: frozenset[str] = frozenset()
    report: CallReport | None = None
    dialled: tuple[str, ...] | None = None
    """Whom the flow's Connect applet was told to dial after the agent; None: it was not asked, or in vain."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class NotConnected(Exception):
    """The platform's answer to an inbound call has no stream to connect; `reason`: its word for refusing, if any."""

    def __init__(self, status: int, reason: str | None) -> None:
        super().__init__(f"the webhook answered {status} without a stream" + (f": {reason}" if reason else ""))
        self.reason = reason


class Carrier:
    """The carrier while the `async with` lasts. `plans` and `refusals` are used up order by order."""

    def __init__(
        self,
        plan: Plan,
        *,
        port: int = 0,
        account: Account | None = None,
        recorder: Recorder | None = None,
        on_end: Callable[[CarrierCall], None] | None = None,
    ) -> None:
        self.account = account or Account()
        self.plans = Series(plan)
        self.refusals: Series[Refusal | None] = Series(None)
        self.calls: dict[str, CarrierCall] = {}
        self._recorder = recorder
        self._on_end = on_end
        self._tasks: list[asyncio.Task[None]] = []
        self._client = httpx.AsyncClient()
        self.texts = TextMessages(self._client, self.account.sid)
        self.messages = self.texts.booked
        self._running = AsyncExitStack()
        routes = [
            Route("/v1/Accounts/{account}/Calls/connect.json", self._connect, methods=["POST"]),
            Route("/v1/Accounts/{account}/Sms/send.json", self._send_sms, methods=["POST"]),
            Route("/v1/Accounts/{account}/Calls.json", self._list, methods=["GET"]),
            Route("/v1/Accounts/{account}/Calls/{sid}.json", self._details, methods=["GET"]),
        ]
        self._server = LocalServer(Starlette(routes=routes), port=port)

    @property
    def url(self) -> str:
        """Its address, in the place of https://SUBDOMAIN."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port of its REST API."""
        return self._server.port

    async def __aenter__(self) -> Self:
        await self._running.enter_async_context(self._client)
        await self._running.enter_async_context(self._server)
        self._running.push_async_callback(self._hang_up_all)
        self._running.push_async_callback(self.texts.aclose)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def call_in(
        self,
        webhook_url: str,
        script: Script,
        *,
        from_number: str,
        to_number: str,
        callback_url: str | None = None,
        connect_url: str | None = None,
    ) -> CarrierCall:
        """Call one of the platform's numbers and stay until the end; raises NotConnected when it is not taken.

        When the platform has ended the stream, the flow's next step asks `connect_url` whom to dial.
        """
        state = self._new_state(from_number, to_number, "inbound")
        response = await self._client.post(webhook_url, data=incoming_form(state), timeout=_WEBHOOK_TIMEOUT_S)
        url = stream_url_in(response.text) if response.is_success else None
        if url is None:
            raise NotConnected(response.status_code, reject_reason_in(response.text))
        call = self._new_call(state, callback_url, is_json=True)
        delivering = asyncio.create_task(call.callbacks.run())
        try:
            await self._answered(call, url, script, time_limit_s=3600.0)
            if connect_url and call.report and call.report.end_reason == "platform":
                call.dialled = await self._ask_whom_to_dial(connect_url, state)
            self._close(call, is_extended=True)
            await asyncio.wait({delivering}, timeout=_CALLBACK_GRACE_S)
        finally:
            delivering.cancel()
            call.ended.set()
        return call

    # --- REST ----------------------------------------------------------------------------------------
    async def _connect(self, request: Request) -> Response:
        if not self._is_allowed(request):
            return _refused(UNAUTHORIZED)
        if refusal := self.refusals.next():
            return _refused(refusal)
        async with request.form() as form:
            fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        try:
            order = dial_request(fields)
        except BadRequest as problem:
            return _refused(Refusal(400, str(problem), "BAD_REQUEST"))
        state = self._new_state(order.callee, order.caller_id, "outbound-api")
        state.custom_field = order.custom_field
        plan = self.plans.next()
        call = self._new_call(state, order.callback_url, is_json=order.is_callback_json, lost=plan.lost)
        self._tasks.append(asyncio.create_task(self._dial(call, order, plan)))
        return JSONResponse(call_body(state))

    async def _send_sms(self, request: Request) -> Response:
        if not self._is_allowed(request):
            return _refused(UNAUTHORIZED)
        async with request.form() as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        taken = await self.texts.take(fields)
        return _refused(taken) if isinstance(taken, Refusal) else JSONResponse(sms_body(taken))

    async def _list(self, request: Request) -> Response:
        if not self._is_allowed(request):
            return _refused(UNAUTHORIZED)
        try:
            size = page_size(request.query_params.get("PageSize"))
        except BadRequest as problem:
            return _refused(Refusal(400, str(problem), "BAD_REQUEST"))
        newest_first = [call.state for call in reversed(self.calls.values())]
        return JSONResponse(list_body(self.account.sid, newest_first, size))

    async def _details(self, request: Request) -> Response:
        if not self._is_allowed(request):
            return _refused(UNAUTHORIZED)
        call = self.calls.get(request.path_params["sid"])
        if call is None:
            return _refused(Refusal(404, "Call not found.", "NOT_FOUND"))
        return JSONResponse(call_body(call.state, has_details=request.query_params.get("details") == "true"))

    def _is_allowed(self, request: Request) -> bool:
        pair = f"{self.account.api_key}:{self.account.api_token}".encode()
        is_known = request.headers.get("authorization") == "Basic " + base64.b64encode(pair).decode()
        return is_known and request.path_params["account"] == self.account.sid

    # --- a call's life -------------------------------------------------------------------------------
    async def _dial(self, call: CarrierCall, order: DialRequest, plan: Plan) -> None:
        delivering = asyncio.create_task(call.callbacks.run())
        try:
            await asyncio.sleep(plan.dial_s)
            self._tell(call, order, "ringing")
            await asyncio.sleep(min(plan.ring_s, order.ring_timeout_s))
            if plan.ring_s > order.ring_timeout_s:
                call.state.status = Outcome.NO_ANSWER
            elif plan.outcome is Outcome.ANSWERED:
                self._tell(call, order, "answered")
                await self._answered(call, order.stream_url, plan.script, time_limit_s=order.time_limit_s)
            else:
                call.state.status = plan.outcome
            self._close(call, is_extended=bool(order.callback_events))
            await asyncio.wait({delivering}, timeout=_CALLBACK_GRACE_S)
        finally:
            delivering.cancel()
            call.ended.set()

    async def _answered(self, call: CarrierCall, url: str, script: Script, *, time_limit_s: float) -> None:
        state = call.state
        state.answered = datetime.now(UTC)
        ids = StreamIds(secrets.token_hex(16), state.sid, state.account_sid, state.from_number, state.to_number)
        call.report = await converse(url, ids, script, time_limit_s=time_limit_s, recorder=self._recorder)
        state.status = Outcome.FAILED if call.report.end_reason == "refused" else Outcome.ANSWERED

    async def _ask_whom_to_dial(self, url: str, state: CallState) -> tuple[str, ...] | None:
        asked = httpx.URL(url).copy_merge_params(connect_query(state))
        try:
            response = await self._client.get(asked, headers=CONNECT_HEADERS, timeout=CONNECT_TIMEOUT_S)
        except httpx.HTTPError:
            return None
        return numbers_in(response.text) if response.is_success else None

    def _tell(self, call: CarrierCall, order: DialRequest, event: str) -> None:
        if event in order.callback_events and event not in call.lost:
            call.callbacks.put(callback_body(call.state, event, now=datetime.now(UTC), is_extended=True))

    def _close(self, call: CarrierCall, *, is_extended: bool) -> None:
        call.state.ended = datetime.now(UTC)
        if "terminal" not in call.lost:
            call.callbacks.put(callback_body(call.state, "terminal", now=call.state.ended, is_extended=is_extended))
        call.callbacks.close()
        if self._on_end:
            self._on_end(call)

    # --- books ---------------------------------------------------------------------------------------
    def _new_state(self, from_number: str, to_number: str, direction: str) -> CallState:
        return CallState(
            secrets.token_hex(16), self.account.sid, from_number, to_number, direction, created=datetime.now(UTC)
        )

    def _new_call(
        self, state: CallState, callback_url: str | None, *, is_json: bool, lost: frozenset[str] = frozenset()
    ) -> CarrierCall:
        call = CarrierCall(state, Callbacks(self._client, callback_url, is_json=is_json), lost)
        self.calls[state.sid] = call
        return call

    async def _hang_up_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


def _refused(refusal: Refusal) -> JSONResponse:
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    return JSONResponse(refusal.body(), status_code=refusal.status, headers=headers)
