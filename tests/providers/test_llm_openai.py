"""The language model over the real SDK, against a transport that answers as OpenAI's streaming protocol does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import httpx2
import pytest
from openai import AsyncOpenAI

from models.errors import ProviderError
from providers.deadlines import Limits
from providers.llm.openai import OpenAiLlm
from providers.llm.tokens import estimate
from providers.roles import Message, ReplyDelta, ToolSpec

ASKED = (Message("system", "You book appointments."), Message("user", "hello"))
FAST = Limits(wait_s=1.0, total_s=5.0, attempts=2, pause_s=0.0)

Answer = Callable[[httpx2.Request], httpx2.Response]


class Body(httpx2.AsyncByteStream):
    """A body that notes its end: read to the last byte, or closed before."""

    def __init__(self, lines: Sequence[bytes], error: Exception | None = None) -> None:
        self.lines, self.error, self.is_closed = lines, error, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for line in self.lines:
            yield line
        if self.error:
            raise self.error

    async def aclose(self) -> None:
        self.is_closed = True


def event(delta: Mapping[str, object], finish: str | None = None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return chunk({"choices": choices})


def chunk(content: dict[str, object]) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**head, **content}).encode() + b"\n\n"


ROLE = event({"role": "assistant", "content": ""})
HELLO = event({"content": "Hello"})
THERE = event({"content": " there."})
STOP = event({}, finish="stop")
USAGE = chunk({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23}})
DONE = b"data: [DONE]\n\n"


def streaming(body: Body) -> Answer:
    return lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=body)


def refusing(status: int, body: dict[str, object] | None = None, headers: dict[str, str] | None = None) -> Answer:
    return lambda _: httpx2.Response(status, json=body or {"error": {"message": "no"}}, headers=headers)


class Vendor:
    """Answers one request after the other; keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self.answers[len(self.requests) - 1](request)


async def reply(
    vendor: Vendor,
    limits: Limits = FAST,
    messages: Sequence[Message] = ASKED,
    tools: Sequence[ToolSpec] = (),
) -> tuple[list[ReplyDelta], ProviderError | None]:
    pieces: list[ReplyDelta] = []
    async with client(vendor) as sdk:
        try:
            async for piece in OpenAiLlm(sdk, limits).reply(messages, model="gpt-4", temperature=0.7, tools=tools):
                pieces.append(piece)
        except ProviderError as error:
            return pieces, error
    return pieces, None


def client(vendor: Vendor) -> AsyncOpenAI:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(vendor))
    return AsyncOpenAI(api_key="k", base_url="http://llm.test/v1", max_retries=0, http_client=http)


async def test_a_reply_comes_in_pieces_and_the_last_one_carries_the_vendors_token_count() -> None:
    vendor = Vendor(streaming(Body([ROLE, HELLO, THERE, STOP, USAGE, DONE])))
    pieces, error = await reply(vendor)
    assert error is None
    assert pieces == [ReplyDelta("Hello"), ReplyDelta(" there."), ReplyDelta(tokens=23)]
    asked = json.loads(vendor.requests[0].content)
    assert asked["messages"][1] == {"role": "user", "content": "hello"}
    assert (asked["model"], asked["temperature"], asked["stream"]) == ("gpt-4", 0.7, True)
    assert asked["stream_options"] == {"include_usage": True}


async def test_tokens_are_estimated_for_an_endpoint_that_does_not_count_them() -> None:
    pieces, error = await reply(Vendor(streaming(Body([HELLO, STOP, DONE]))))
    assert error is None
    assert pieces[-1] == ReplyDelta(tokens=estimate(ASKED, "Hello"))


def test_an_estimate_is_four_characters_a_token_rounded_up() -> None:
    assert estimate([Message("user", "12345")], "") == 2
    assert estimate([], "") == 0


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_overloaded_or_broken_vendor_is_asked_again(status: int) -> None:
    vendor = Vendor(refusing(status), streaming(Body([HELLO, STOP, DONE])))
    pieces, error = await reply(vendor)
    assert error is None
    assert pieces[0] == ReplyDelta("Hello")
    assert len(vendor.requests) == 2


@pytest.mark.parametrize(
    ("status", "body"), [(400, None), (401, None), (429, {"error": {"code": "insufficient_quota", "message": "pay"}})]
)
async def test_a_refusal_that_would_be_repeated_is_final(status: int, body: dict[str, object] | None) -> None:
    vendor = Vendor(refusing(status, body))
    pieces, error = await reply(vendor)
    assert pieces == []
    assert error is not None
    assert not error.retryable
    assert len(vendor.requests) == 1


async def test_the_wait_a_vendor_asks_for_is_passed_on() -> None:
    _, error = await reply(Vendor(refusing(429, headers={"retry-after": "20"})))
    assert error is not None
    assert error.retry_after_s == 20.0


async def test_a_lost_connection_is_tried_again() -> None:
    def lost(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    vendor = Vendor(lost, streaming(Body([HELLO, STOP, DONE])))
    pieces, error = await reply(vendor)
    assert (pieces[0], error) == (ReplyDelta("Hello"), None)


@pytest.mark.parametrize(
    "body",
    [
        Body([HELLO], error=httpx2.RemoteProtocolError("peer closed connection")),
        Body([HELLO]),
        Body([HELLO, b'data: {"error": {"message": "overloaded"}}\n\n']),
    ],
    ids=["broken off", "ended early", "error event"],
)
async def test_a_stream_cut_in_the_middle_fails_after_what_had_arrived(body: Body) -> None:
    vendor = Vendor(streaming(body))
    pieces, error = await reply(vendor)
    assert pieces == [ReplyDelta("Hello")]
    assert error is not None
    assert len(vendor.requests) == 1


async def test_closing_the_reply_closes_the_http_stream_at_once() -> None:
    body = Body([HELLO, THERE, STOP, DONE])
    async with client(Vendor(streaming(body))) as sdk:
        stream = OpenAiLlm(sdk, FAST).reply(ASKED, model="gpt-4", temperature=0.0)
        assert await anext(stream) == ReplyDelta("Hello")
        assert not body.is_closed
        await stream.aclose()
        assert body.is_closed


@pytest.mark.integration
async def test_closing_the_reply_hangs_up_on_a_real_server() -> None:
    hung_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head + b"%x\r\n%b\r\n" % (len(HELLO), HELLO))
        while await reader.read(4_096):  # the rest of the request, then nothing until the client is gone
            pass
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as sdk:
        stream = OpenAiLlm(sdk, FAST).reply(ASKED, model="gpt-4", temperature=0.0)
        assert await anext(stream) == ReplyDelta("Hello")
        await stream.aclose()
        async with asyncio.timeout(1.0):
            await hung_up.wait()
