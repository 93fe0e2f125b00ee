"""The language model server wants functions called: judged by OpenAI's own client and by the product's."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionToolParam, ChatCompletionUserMessageParam

from providers.deadlines import Limits
from providers.llm.openai import OpenAiLlm
from providers.roles import Message, ReplyDelta, ToolCall, ToolSpec
from simulators.llm import LlmServer, Message as SimulatedMessage
from simulators.tool_calls import Answer, Wanted, deltas

pytestmark = pytest.mark.integration

ASK: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "What is the weather?"}]
TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather.", "parameters": {"type": "object"}},
}
SPEC = ToolSpec("get_weather", "The weather.", {"type": "object"})
BOTH = (Wanted("get_weather", {"city": "Zürich"}, id="call_a"), Wanted("end_call"))
ONE_MOMENT = Answer("One moment.", BOTH)


def answer(messages: Sequence[SimulatedMessage]) -> str | Answer:
    """Asks for functions until one has answered."""
    told = [message["content"] for message in messages if message["role"] == "tool"]
    return f"It says {told[-1]}." if told else ONE_MOMENT


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    async with LlmServer(answer) as server:
        yield server


@pytest.fixture
async def client(server: LlmServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="any", max_retries=0, timeout=5.0) as client:
        yield client


async def test_calls_are_streamed_name_first_then_pieces_of_arguments(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4", messages=ASK, tools=[TOOL], stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    fragments = [each for chunk in chunks if chunk.choices for each in chunk.choices[0].delta.tool_calls or ()]
    first, *rest = [each for each in fragments if each.index == 0]
    assert first.function is not None
    assert (first.id, first.function.name, first.function.arguments) == ("call_a", "get_weather", "")
    assert len(rest) > 1
    assert all(each.id is None for each in rest)
    assert json.loads("".join(each.function.arguments or "" for each in rest if each.function)) == {"city": "Zürich"}
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 2 + len(fragments)


async def test_calls_come_whole_without_streaming(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    completion = await client.chat.completions.create(model="gpt-4", messages=ASK, tools=[TOOL])
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "One moment."
    named = {call.id: call.function.name for call in choice.message.tool_calls or () if call.type == "function"}
    assert list(named.values()) == ["get_weather", "end_call"]
    assert len(set(named)) == 2
    assert server.requests[0].tools == (TOOL,)


async def test_the_products_client_understands_and_answers(client: openai.AsyncOpenAI, server: LlmServer) -> None:
    async def reply(*messages: Message) -> list[ReplyDelta]:
        llm = OpenAiLlm(client, Limits(wait_s=2.0, total_s=5.0, attempts=1))
        return [piece async for piece in llm.reply(messages, model="gpt-4", temperature=0.0, tools=[SPEC])]

    asked = Message("user", "What is the weather?")
    one, moment, wanted, counted = await reply(asked)
    assert (one.text, moment.text) == ("One", " moment.")
    assert [(call.name, call.arguments) for call in wanted.tool_calls] == [
        ("get_weather", '{"city": "Zürich"}'),
        ("end_call", "{}"),
    ]
    assert counted.tokens == 4 + 2 + len(deltas(BOTH, ""))
    assert server.requests[0].tools[0]["function"] == {
        "name": "get_weather",
        "description": "The weather.",
        "parameters": {"type": "object"},
    }
    said = Message("assistant", "One moment.", tool_calls=wanted.tool_calls)
    told = [Message("tool", "sunny", tool_call_id=call.id) for call in wanted.tool_calls]
    pieces = await reply(asked, said, *told)
    assert "".join(piece.text for piece in pieces) == "It says sunny."
    assert server.requests[1].messages[-1] == {
        "role": "tool",
        "tool_call_id": wanted.tool_calls[1].id,
        "content": "sunny",
    }


async def test_arguments_that_are_no_json_arrive_as_written() -> None:
    broken = ToolCall("call_b", "get_weather", '{"city": ')
    wanted = Answer(tool_calls=(Wanted(broken.name, broken.arguments, broken.id),))
    async with (
        LlmServer(lambda _: wanted) as server,
        openai.AsyncOpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client,
    ):
        llm = OpenAiLlm(client, Limits(wait_s=2.0, total_s=5.0, attempts=1))
        pieces = [piece async for piece in llm.reply([Message("user", "x")], model="m", temperature=0.0)]
    assert pieces[0] == ReplyDelta(tool_calls=(broken,))


@pytest.mark.parametrize("tools", ["x", [1], [{"type": "function"}], [{"type": "function", "function": {}}]])
async def test_tools_that_make_no_sense_are_refused(client: openai.AsyncOpenAI, tools: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(model="gpt-4", messages=ASK, extra_body={"tools": tools})
