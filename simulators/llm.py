"""A server that speaks OpenAI's chat completions protocol and answers by a function of the messages: words, and
functions to call.

Wire format: platform.openai.com/docs/api-reference/chat (create, streaming chunks, error object).
"""

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.behaviour import Behaviour, Fault, Series
from simulators.dialogue import NAME, reply_to
from simulators.tool_calls import Answer, deltas, whole
from simulators.web import BadBody, LocalServer, Pace, Paced, json_object, refusal

MODEL = NAME.replace(" ", "-")
_HEADERS = {"X-Simulator": NAME, "Cache-Control": "no-cache"}

Message = Mapping[str, object]
Respond = Callable[[Sequence[Message]], str | Answer]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request as it came; `at` is the monotonic time of its arrival, `tools` the functions offered."""

    at: float
    model: str
    messages: tuple[Message, ...]
    is_stream: bool
    tools: tuple[Message, ...] = ()


class LlmServer:
    """OpenAI's endpoint on loopback. `behaviours` are used up request by request, then their default holds."""

    def __init__(
        self,
        answer: Respond = reply_to,
        *,
        port: int = 0,
        behaviours: Series[Behaviour] | None = None,
        api_key: str | None = None,
    ) -> None:
        self.behaviours = behaviours or Series(Behaviour())
        self.requests: list[ChatRequest] = []
        self.answer = answer
        self._api_key = api_key
        self._running = AsyncExitStack()
        routes = [
            Route("/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/v1/models", self._models, methods=["GET"]),
        ]
        self._server = LocalServer(Starlette(routes=routes), port=port)

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"{self._server.url}/v1"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    async def __aenter__(self) -> Self:
        await self._running.enter_async_context(self._server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def _models(self, _: Request) -> Response:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "callboard-simulators"}
        return JSONResponse({"object": "list", "data": [model]}, headers=_HEADERS)

    async def _complete(self, request: Request) -> Response:
        if self._api_key and request.headers.get("authorization") != f"Bearer {self._api_key}":
            return refusal(401, _error("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"))
        try:
            body = await json_object(request)
            chat = _chat_request(body)
        except BadBody as problem:
            return refusal(400, _error(str(problem), "invalid_request_error", None))
        self.requests.append(chat)
        behaviour = self.behaviours.next()
        if behaviour.fault is Fault.RATE_LIMITED:
            return refusal(429, _error("Rate limit reached.", "requests", "rate_limit_exceeded"), behaviour)
        if behaviour.fault is Fault.BROKEN:
            return refusal(500, _error("The server had an error.", "server_error", None))
        said = self.answer(chat.messages)
        answer = Answer(said) if isinstance(said, str) else said
        if not chat.is_stream:
            await Pace(behaviour).wait(_completion_tokens(answer))
            return JSONResponse(_completion(chat, answer), headers=_HEADERS)
        stream = _stream(chat, answer, behaviour, wants_usage=_wants_usage(body))
        return Paced(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(
    chat: ChatRequest, answer: Answer, behaviour: Behaviour, *, wants_usage: bool
) -> AsyncIterator[bytes]:
    pace, answer_id = Pace(behaviour), _new_id()
    head = {"id": answer_id, "object": "chat.completion.chunk", "created": int(time.time()), "model": MODEL}
    await pace.wait(0)
    yield _chunk(head, {"role": "assistant", "content": ""}, None)
    pieces = [{"content": word} for word in answer.words] + deltas(answer.tool_calls, answer_id)
    for index, piece in enumerate(pieces):
        await pace.wait(index)
        yield _chunk(head, piece, None)
    await pace.wait(len(pieces))
    yield _chunk(head, {}, answer.finish_reason)
    if wants_usage:
        yield _event({**head, "choices": [], "usage": _usage(chat, answer)})
    yield b"data: [DONE]\n\n"


def _chunk(head: Mapping[str, object], delta: Mapping[str, object], finish_reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event({**head, "choices": [choice]})


def _event(data: Mapping[str, object]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _completion(chat: ChatRequest, answer: Answer) -> dict[str, object]:
    answer_id = _new_id()
    content = "".join(answer.words) if answer.words or not answer.tool_calls else None
    message: dict[str, object] = {"role": "assistant", "content": content, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = whole(answer.tool_calls, answer_id)
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}],
        "usage": _usage(chat, answer),
    }


def _usage(chat: ChatRequest, answer: Answer) -> dict[str, int]:
    """A word of a message's content, or a chunk of the answer, is a token; functions offered are free."""
    prompt = sum(len(str(message.get("content") or "").split()) for message in chat.messages)
    completion = _completion_tokens(answer)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _completion_tokens(answer: Answer) -> int:
    return len(answer.words) + len(deltas(answer.tool_calls, ""))


def _chat_request(body: Mapping[str, object]) -> ChatRequest:
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadBody("'messages' must be an array of objects")
    if not isinstance(body.get("model"), str):
        raise BadBody("you must provide a model parameter")
    tools = body.get("tools", [])
    if not isinstance(tools, list) or not all(map(_is_function, tools)):
        raise BadBody("'tools' must be an array of functions")
    return ChatRequest(time.monotonic(), str(body["model"]), tuple(messages), body.get("stream") is True, tuple(tools))


def _is_function(tool: object) -> bool:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _wants_usage(body: Mapping[str, object]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _error(message: str, kind: str, code: str | None) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"
