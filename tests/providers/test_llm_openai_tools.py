"""Functions offered and called over OpenAI's protocol, against a transport that streams as it does."""

import json

import pytest

from providers.llm.tokens import estimate
from providers.roles import Message, ReplyDelta, ToolCall, ToolSpec
from tests.providers.test_llm_openai import ASKED, DONE, HELLO, ROLE, STOP, USAGE, Body, Vendor, event, reply, streaming

WEATHER = ToolSpec(
    "get_weather",
    "The weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
PARIS = ToolCall("call_1", "get_weather", '{"city": "Paris"}')
ROME = ToolCall("call_2", "get_weather", '{"city": "Rome"}')


def fragment(index: int, arguments: str, call: ToolCall | None = None, finish: str | None = None) -> bytes:
    """A delta of one tool call; the first of a call also names it."""
    head = {} if call is None else {"id": call.id, "type": "function"}
    function = {"arguments": arguments} | ({} if call is None else {"name": call.name})
    return event({"tool_calls": [{"index": index, **head, "function": function}]}, finish)


def wanting(finish: str = "tool_calls") -> list[bytes]:
    """Two calls whose fragments are mixed."""
    return [
        ROLE,
        fragment(0, "", PARIS),
        fragment(0, '{"city": '),
        fragment(1, '{"city"', ROME),
        fragment(0, '"Paris"}'),
        fragment(1, ': "Rome"}'),
        event({}, finish=finish),
        USAGE,
        DONE,
    ]


@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
async def test_calls_come_whole_after_the_text_and_before_the_tokens(finish: str) -> None:
    answer = wanting(finish)
    pieces, error = await reply(Vendor(streaming(Body([HELLO, *answer]))), tools=[WEATHER])
    assert error is None
    assert pieces == [ReplyDelta("Hello"), ReplyDelta(tool_calls=(PARIS, ROME)), ReplyDelta(tokens=23)]


async def test_a_reply_may_be_calls_alone() -> None:
    pieces, error = await reply(Vendor(streaming(Body(wanting()))), tools=[WEATHER])
    assert error is None
    assert pieces == [ReplyDelta(tool_calls=(PARIS, ROME)), ReplyDelta(tokens=23)]


async def test_a_whole_call_in_one_chunk_with_the_reason_is_understood() -> None:
    nameless = ToolCall("", PARIS.name, PARIS.arguments)
    pieces, error = await reply(Vendor(streaming(Body([fragment(0, PARIS.arguments, nameless, "tool_calls"), DONE]))))
    assert error is None
    assert pieces[0].tool_calls == (ToolCall("call_c_0", PARIS.name, PARIS.arguments),)
    assert pieces[-1].tokens == estimate(ASKED, "", calls=[PARIS])


async def test_a_stream_cut_within_the_arguments_wants_no_call_and_is_not_asked_again() -> None:
    vendor = Vendor(streaming(Body([ROLE, fragment(0, '{"ci', PARIS)])))
    pieces, error = await reply(vendor, tools=[WEATHER])
    assert pieces == []
    assert error is not None
    assert len(vendor.requests) == 1


async def test_tools_and_their_answers_are_sent_in_the_wire_form() -> None:
    chat = (
        *ASKED,
        Message("assistant", "", tool_calls=(PARIS, ToolCall("call_2", "end_call", ""))),
        Message("tool", "Sunny", tool_call_id="call_1"),
        Message("assistant", "It is sunny.", tool_calls=(ROME,)),
    )
    vendor = Vendor(streaming(Body([HELLO, STOP, DONE])))
    await reply(vendor, messages=chat, tools=[WEATHER])
    asked = json.loads(vendor.requests[0].content)
    assert asked["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather in a city.",
                "parameters": dict(WEATHER.parameters),
            },
        }
    ]

    def wire(call: ToolCall) -> dict[str, object]:
        return {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments or "{}"},
        }

    assert asked["messages"][2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [wire(PARIS), wire(ToolCall("call_2", "end_call", ""))],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
        {"role": "assistant", "content": "It is sunny.", "tool_calls": [wire(ROME)]},
    ]


async def test_without_tools_none_are_mentioned() -> None:
    vendor = Vendor(streaming(Body([HELLO, STOP, DONE])))
    await reply(vendor)
    assert "tools" not in json.loads(vendor.requests[0].content)


def test_an_estimate_counts_tools_and_calls() -> None:
    silent = Message("assistant", "", tool_calls=(ToolCall("id", "name", "args"),))
    assert estimate([silent], "") == 2
    assert estimate([], "", calls=silent.tool_calls) == 2
    assert estimate([], "", tools=[ToolSpec("name", "text", {})]) == 3
