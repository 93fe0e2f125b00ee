"""Tool calls in OpenAI's chat completions protocol, sent and received. Pure.

Wire format: platform.openai.com/docs/api-reference/chat (`tools`, `tool_calls`, streaming deltas).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from providers.roles import Message, ToolCall, ToolSpec

if TYPE_CHECKING:
    from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ToolCallAssembler:
    """Puts the fragments of one streamed reply together. The first of a call has its id and name, all have a piece of
    its arguments, and `index` says whose they are."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}

    def add(self, fragment: "ChoiceDeltaToolCall") -> None:
        """One fragment, in the order of arrival."""
        call = self._calls.setdefault(fragment.index, _Call())
        call.id = call.id or fragment.id or ""
        if fragment.function is not None:
            call.name = call.name or fragment.function.name or ""
            call.arguments.append(fragment.function.arguments or "")

    def take(self, reply_id: str) -> tuple[ToolCall, ...]:
        """The calls so far, by index, and none afterwards. An endpoint that gives a call no id gets one made of the
        reply's, because the call's answer has to name it."""
        calls, self._calls = self._calls, {}
        return tuple(
            ToolCall(call.id or f"call_{reply_id}_{index}", call.name, "".join(call.arguments))
            for index, call in sorted(calls.items())
        )


def wire_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The chat as the request carries it."""
    return [_message(message) for message in messages]


def wire_tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """The functions offered, as the request carries them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id or "", "content": message.content}
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [_call(call) for call in message.tool_calls]
    return {"role": message.role, "content": message.content or None, "tool_calls": calls}


def _call(call: ToolCall) -> dict[str, Any]:
    """Arguments are text in this protocol; endpoints that parse it again fail on an empty one."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
