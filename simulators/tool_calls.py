"""An answer that wants functions called, and how OpenAI's chat completions protocol streams it. Pure.

Wire format: platform.openai.com/docs/api-reference/chat-streaming (`choices[].delta.tool_calls`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_PIECE = 8
"""Characters of arguments in one chunk."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A function to be called; `arguments` as text is sent as it is, valid or not. Without an id it gets one."""

    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict)
    id: str = ""

    @property
    def text(self) -> str:
        """The arguments as the model writes them."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says and wants done."""

    text: str = ""
    tool_calls: tuple[Wanted, ...] = ()

    @property
    def words(self) -> list[str]:
        """The text in the pieces that count as its tokens."""
        return re.findall(r"\s*\S+", self.text)

    @property
    def finish_reason(self) -> str:
        """Why the answer ends."""
        return "tool_calls" if self.tool_calls else "stop"


def whole(calls: Sequence[Wanted], answer_id: str) -> list[dict[str, object]]:
    """The `tool_calls` of a message that is not streamed."""
    return [
        {"id": _id(call, answer_id, index), "type": "function", "function": {"name": call.name, "arguments": call.text}}
        for index, call in enumerate(calls)
    ]


def deltas(calls: Sequence[Wanted], answer_id: str) -> list[dict[str, object]]:
    """The `delta` of each chunk: id and name of a call first, then its arguments in pieces, call after call."""
    return [delta for index, call in enumerate(calls) for delta in _deltas(index, call, answer_id)]


def _deltas(index: int, call: Wanted, answer_id: str) -> list[dict[str, object]]:
    name = {"name": call.name, "arguments": ""}
    head: dict[str, object] = {"id": _id(call, answer_id, index), "type": "function", "function": name}
    pieces = [call.text[start : start + _PIECE] for start in range(0, len(call.text), _PIECE)]
    rest: list[dict[str, object]] = [{"function": {"arguments": piece}} for piece in pieces]
    return [{"tool_calls": [{"index": index, **fragment}]} for fragment in (head, *rest)]


def _id(call: Wanted, answer_id: str, index: int) -> str:
    return call.id or f"call_{answer_id.removeprefix('chatcmpl-')[:20]}{index}"
