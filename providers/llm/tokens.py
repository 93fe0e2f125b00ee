"""Counting tokens without the vendor: for endpoints that send no usage, and for replies that were cut off. Pure."""

import json
import math
from collections.abc import Sequence

from providers.roles import Message, ToolCall, ToolSpec

_CHARS_PER_TOKEN = 4


def estimate(
    messages: Sequence[Message], reply: str, *, tools: Sequence[ToolSpec] = (), calls: Sequence[ToolCall] = ()
) -> int:
    """About how many tokens the messages, the tools offered, the reply and the calls in it are: four characters each,
    rounded up."""
    asked = sum(len(message.content) + _length(message.tool_calls) for message in messages)
    offered = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in tools)
    return math.ceil((asked + offered + len(reply) + _length(calls)) / _CHARS_PER_TOKEN)


def _length(calls: Sequence[ToolCall]) -> int:
    return sum(len(call.name) + len(call.arguments) for call in calls)
