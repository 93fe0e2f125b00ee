"""The language model server speaks OpenAI's protocol: judged by OpenAI's own client."""

import time
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from simulators.behaviour import Behaviour, Fault
from simulators.dialogue import GREETING
from simulators.llm import MODEL, LlmServer

pytestmark = pytest.mark.integration

HELLO: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "I would like to book an appointment"}]
ANSWER = "Which day would you like?"


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    async with LlmServer(api_key="sk-test") as server:
        yield server


@pytest.fixture
async def client(server: LlmServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=server.base_url, api_key="sk-test", max_retries=0, timeout=openai.Timeout(5.0, read=0.5)
    ) as client:
        yield client


async def streamed(client: openai.AsyncOpenAI) -> list[str]:
    """The pieces of one streamed answer."""
    stream = await client.chat.completions.create(model="gpt-4", messages=HELLO, stream=True)
    return [chunk.choices[0].delta.content or "" async for chunk in stream]


async def test_a_streamed_answer_has_role_pieces_reason_and_usage(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 7 + 5
    assert {chunk.model for chunk in chunks} == {MODEL}


async def test_an_answer_without_streaming(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    completion = await client.chat.completions.create(model="gpt-4", messages=HELLO)
    assert completion.choices[0].message.content == ANSWER
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert server.requests[0].model == "gpt-4"
    assert server.requests[0].messages == tuple(HELLO)


async def test_without_a_caller_it_greets(client: openai.AsyncOpenAI) -> None:
    completion = await client.chat.completions.create(
        model="gpt-4", messages=[{"role": "system", "content": "You are a receptionist."}]
    )
    assert completion.choices[0].message.content == GREETING


async def test_the_models_list_says_what_it_is(client: openai.AsyncOpenAI) -> None:
    models = await client.models.list()
    assert [model.id for model in models.data] == ["scripted-demo-language-model"]


async def test_first_token_and_rate_are_kept(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    server.behaviours.add(Behaviour(first_s=0.1, per_s=50))
    started = time.monotonic()
    times = []
    async for _ in await client.chat.completions.create(model="gpt-4", messages=HELLO, stream=True):
        times.append(time.monotonic() - started)
    assert 0.1 <= times[0] < 0.4
    assert 0.2 <= times[-1] < 0.6


async def test_a_wrong_key_is_refused(server: LlmServer) -> None:
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await streamed(client)


async def test_too_many_requests_come_with_patience(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    server.behaviours.add(Behaviour(fault=Fault.RATE_LIMITED, retry_after_s=3))
    with pytest.raises(openai.RateLimitError) as caught:
        await streamed(client)
    assert caught.value.response.headers["retry-after"] == "3"


async def test_a_broken_server_answers_500_and_the_next_request_is_well(
    client: openai.AsyncOpenAI, server: LlmServer
) -> None:
    server.behaviours.add(Behaviour(fault=Fault.BROKEN))
    with pytest.raises(openai.InternalServerError):
        await streamed(client)
    assert "".join(await streamed(client)) == ANSWER


async def test_a_stall_sends_nothing(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    server.behaviours.add(Behaviour(fault=Fault.STALL))
    with pytest.raises(openai.APITimeoutError):
        await streamed(client)


async def test_a_stall_or_cut_in_the_middle_comes_after_its_tokens(
    client: openai.AsyncOpenAI, server: LlmServer
) -> None:
    for fault in (Fault.STALL, Fault.CUT):
        server.behaviours.add(Behaviour(fault=fault, after=2))
        pieces: list[str] = []
        with pytest.raises((openai.APIConnectionError, httpx.HTTPError)):  # noqa: PT012 - fails while it is read
            stream = await client.chat.completions.create(model="gpt-4", messages=HELLO, stream=True)
            async for chunk in stream:
                pieces.append(chunk.choices[0].delta.content or "")
        assert pieces == ["", "Which", " day"]


async def test_a_request_that_makes_no_sense_is_refused(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    async with httpx.AsyncClient(headers={"authorization": "Bearer sk-test"}) as http:
        for body in (b"[]", b"{", b'{"model":"gpt-4"}', b'{"messages":[]}'):
            response = await http.post(f"{server.base_url}/chat/completions", content=body)
            assert response.status_code == 400
            assert response.json()["error"]["type"] == "invalid_request_error"
