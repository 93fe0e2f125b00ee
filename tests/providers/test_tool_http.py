"""Functions over HTTP: what is asked, and what the model is told of the answer."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from models.errors import Forbidden, ProviderError
from models.settings import Settings
from models.tool import HttpTool
from providers.tools.addresses import AddressGuard
from providers.tools.http import READ_BYTES, TOLD_CHARS, HttpTools, http_tools
from simulators.web import LocalServer

URL = "https://api.example.com/weather?units=c#now"
ASKED = {"city": "São Paulo", "days": 3, "exact": True, "tags": ["a"], "note": None}


def tool(**fields: Any) -> HttpTool:
    return HttpTool(**({"name": "get_weather", "description": "The weather.", "url": URL} | fields))


class Owner:
    """The owner's server: gives one answer, or fails, and keeps what was asked."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def call(self, **fields: Any) -> str:
        return await HttpTools(AddressGuard(), httpx.MockTransport(self)).call(tool(**fields), ASKED)


async def answer(status: int = 200, **content: Any) -> str:
    """What the model is told of such an answer."""
    return await Owner(httpx.Response(status, **content)).call()


async def test_arguments_go_as_json_with_the_owners_headers() -> None:
    owner = Owner(httpx.Response(200, json={}))
    await owner.call(headers={"Authorization": "Bearer s3cret", "HOST": "evil.example", "user-agent": "Mine"})
    [request] = owner.requests
    assert (request.method, str(request.url)) == ("POST", "https://api.example.com/weather?units=c")
    assert json.loads(request.content) == ASKED
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["host"] == "api.example.com"
    assert request.headers["user-agent"] == "Mine"
    assert request.headers["accept-encoding"] == "identity"


async def test_arguments_of_a_get_join_its_query() -> None:
    owner = Owner(httpx.Response(200, json={}))
    await owner.call(method="GET")
    [request] = owner.requests
    assert dict(request.url.params) == {
        "units": "c",
        "city": "São Paulo",
        "days": "3",
        "exact": "true",
        "tags": '["a"]',
    }
    assert request.content == b""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"json": {"temperature": 21, "sky": "klar ü"}}, '{"temperature":21,"sky":"klar ü"}'),
        ({"text": " It is sunny.\n"}, "It is sunny."),
        ({"content": b"[1,\n 2]", "headers": {"content-type": "text/plain"}}, "[1,2]"),
        ({"content": b"\xff ok"}, "\ufffd ok"),
        ({}, "The function succeeded and returned nothing."),
        ({"content": b"\x89PNG", "headers": {"content-type": "image/png"}}, "(data of type image/png)"),
        ({"content": b"[" * 9_000}, "[" * (TOLD_CHARS - 10) + " ... (cut)"),
    ],
    ids=["json", "text", "json as text", "not utf-8", "empty", "image", "deep"],
)
async def test_an_answer_becomes_text(content: dict[str, Any], said: str) -> None:
    assert await answer(**content) == said


async def test_long_answers_are_cut() -> None:
    said = await answer(text="word " * 100_000)
    assert len(said) == TOLD_CHARS
    assert said.endswith("word w ... (cut)")


async def test_compressed_answers_are_not_unpacked() -> None:
    packed = gzip.compress(b"x" * 10_000_000)

    class Packed(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield packed

    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Packed())
    assert await Owner(response).call() == "(compressed data)"


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_refusal_is_told_with_its_status_and_words(status: int) -> None:
    assert await answer(status, json={"error": "no such city"}) == (
        f'The function failed with HTTP status {status}: {{"error":"no such city"}}'
    )
    assert await answer(status) == f"The function failed with HTTP status {status}."


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    owner = Owner(httpx.Response(status, headers={"location": "http://169.254.169.254/"}))
    with pytest.raises(ProviderError, match=f"HTTP {status}"):
        await owner.call()
    assert len(owner.requests) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("https://user:secret@x"), "cannot be reached"),
        (httpx.ReadTimeout("slow"), "did not answer within 8 seconds"),
        (httpx.RemoteProtocolError("gone"), "cannot be reached"),
    ],
)
async def test_trouble_is_told_without_details_and_never_tried_again(error: Exception, words: str) -> None:
    owner = Owner(error)
    with pytest.raises(ProviderError, match=words) as caught:
        await owner.call()
    assert "secret" not in caught.value.message
    assert len(owner.requests) == 1


async def test_an_address_that_is_not_public_is_never_asked() -> None:
    owner = Owner(httpx.Response(200))
    with pytest.raises(Forbidden, match="must lead to the public internet"):
        await owner.call(url="http://127.0.0.1:6379/")
    assert owner.requests == []


# --- over real sockets ----------------------------------------------------------------------------------
async def _echo(request: Request) -> Response:
    return JSONResponse({"host": request.headers["host"], "body": await request.json()})


async def _redirect(request: Request) -> Response:
    return RedirectResponse("/echo")


async def _endless(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"more " * 1_000
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type="text/plain")


async def _dripping(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.02)

    return StreamingResponse(parts(), media_type="text/plain")


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    paths = {"/echo": _echo, "/redirect": _redirect, "/endless": _endless, "/dripping": _dripping}
    routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in paths.items()]
    async with LocalServer(Starlette(routes=routes)) as server:
        yield server


@pytest.fixture
async def tools() -> AsyncIterator[HttpTools]:
    tools = http_tools(Settings(_env_file=None, tool_allowed_hosts="127.0.0.0/8, callboard.localhost"))
    yield tools
    await tools.aclose()


@pytest.mark.integration
async def test_a_real_server_is_asked(server: LocalServer, tools: HttpTools) -> None:
    for _ in range(2):  # the second over the kept connection
        said = json.loads(await tools.call(tool(url=f"{server.url}/echo"), ASKED))
        assert said == {"host": f"127.0.0.1:{server.port}", "body": ASKED}


@pytest.mark.integration
async def test_by_a_name_its_addresses_count(server: LocalServer, tools: HttpTools) -> None:
    with pytest.raises(Forbidden):
        await tools.call(tool(url=f"http://localhost:{server.port}/echo"), ASKED)
    closed = http_tools(Settings(_env_file=None))
    with pytest.raises(Forbidden):
        await closed.call(tool(url=f"{server.url}/echo"), ASKED)
    await closed.aclose()


@pytest.mark.integration
async def test_a_redirect_of_a_real_server_is_not_followed(server: LocalServer, tools: HttpTools) -> None:
    with pytest.raises(ProviderError, match="redirect"):
        await tools.call(tool(url=f"{server.url}/redirect"), ASKED)


@pytest.mark.integration
async def test_an_endless_answer_is_read_to_the_limit(server: LocalServer, tools: HttpTools) -> None:
    assert READ_BYTES > TOLD_CHARS
    said = await tools.call(tool(url=f"{server.url}/endless"), ASKED)
    assert len(said) == TOLD_CHARS


@pytest.mark.integration
async def test_the_time_is_that_of_the_whole_answer(server: LocalServer, tools: HttpTools) -> None:
    with pytest.raises(ProviderError, match=r"within 0\.1 seconds"):
        await tools.call(tool(url=f"{server.url}/dripping", timeout_s=0.1), ASKED)
