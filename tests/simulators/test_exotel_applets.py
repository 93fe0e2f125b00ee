"""The flow after the stream: the carrier asks whom to dial, and understands the product's answer."""

import json
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection

from serve_app.resources.webhooks import connect_answer
from services.transfers import Transfer
from simulators.caller import HangUp, Say, Script, StaySilent
from simulators.carrier import Carrier, CarrierCall, Plan
from simulators.exotel_applets import numbers_in
from simulators.web import LocalServer
from tests.simulators.platform_peer import Peer

COLLEAGUE = "+919812345678"
OURS = "+918047491899"


@pytest.mark.parametrize("number", [COLLEAGUE, None])
def test_the_carrier_reads_the_products_answer(number: str | None) -> None:
    answer = json.dumps(connect_answer(Transfer(number, OURS)))
    assert numbers_in(answer) == ((number,) if number else ())


@pytest.mark.parametrize(
    "answer", ["", "{", "[]", "{}", '{"destination": {}}', '{"destination": {"numbers": "x"}}',
               '{"destination": {"numbers": [null]}}', '{"destination": {"numbers": ["sip:x@y"]}}']
)  # fmt: skip
def test_an_answer_it_cannot_read_dials_nobody(answer: str) -> None:
    assert numbers_in(answer) is None


class Flow:
    """Answers the Connect applet; keeps what it asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.server = LocalServer(Starlette(routes=[Route("/connect", self._connect)]))

    @property
    def url(self) -> str:
        """The dynamic address, with a token of its own."""
        return f"{self.server.url}/connect?token=t"

    async def _connect(self, request: Request) -> Response:
        assert request.headers["exotel-version"] == "1.0"
        self.asked.append(dict(request.query_params))
        return JSONResponse(connect_answer(Transfer(COLLEAGUE, OURS)))


@pytest.fixture
async def flow() -> AsyncIterator[Flow]:
    flow = Flow()
    async with flow.server:
        yield flow


async def called(script: Script, flow: Flow, *, hangs_up_after: str) -> CarrierCall:
    """A call whose platform hangs up after this frame."""

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.next_frame(socket, hangs_up_after)

    async with Carrier(Plan(script)) as carrier, Peer(talk) as peer:
        return await carrier.call_in(
            f"{peer.url}/incoming", script, from_number="+1555", to_number=OURS, connect_url=flow.url
        )


@pytest.mark.integration
async def test_the_flow_goes_on_when_the_platform_ends_the_stream(flow: Flow) -> None:
    call = await called(Script((StaySilent(5.0),)), flow, hangs_up_after="media")
    assert call.dialled == (COLLEAGUE,)
    [asked] = flow.asked
    assert (asked["token"], asked["CallSid"], asked["CallFrom"]) == ("t", call.state.sid, "+1555")


@pytest.mark.integration
async def test_the_flow_is_over_when_the_caller_hangs_up(flow: Flow) -> None:
    call = await called(Script((Say("Hi"), HangUp())), flow, hangs_up_after="stop")
    assert call.dialled is None
    assert flow.asked == []
