"""A language model behind OpenAI's chat completions protocol: OpenAI itself or any endpoint compatible with it."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, omit

from models.errors import ProviderError
from providers.deadlines import Limits, bounded
from providers.http_failures import connection_failure, status_failure
from providers.llm.tokens import estimate
from providers.llm.tool_calls import ToolCallAssembler, wire_messages, wire_tools
from providers.roles import Message, ReplyDelta, ToolCall, ToolSpec

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam

PROVIDER = "openai"

_BUSY = ReplyDelta()
"""The vendor is writing a call's arguments: a sign of life for the deadlines, and nobody else's business."""


class OpenAiLlm:
    """Satisfies `roles.Llm`. `client` must not retry by itself (`max_retries=0`)."""

    def __init__(self, client: AsyncOpenAI, limits: Limits) -> None:
        self._completions = client.chat.completions  # here, because it imports a good deal at its first use
        self._limits = limits

    async def reply(
        self, messages: Sequence[Message], *, model: str, temperature: float, tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ReplyDelta, None]:
        """The reply, piece by piece: its text, then the calls it wants made, in one piece, then the tokens, estimated
        if the endpoint does not count them. A reply may consist of calls alone.

        Closing the generator closes the HTTP stream at once; the tokens of such a reply are never told, see
        `tokens.estimate`. A stream that ends before its finish reason is a ProviderError after what had arrived.
        """
        attempts = bounded(lambda: self._stream(messages, model, temperature, tools), self._limits, provider=PROVIDER)
        async with aclosing(attempts) as pieces:
            async for piece in pieces:
                if piece is not _BUSY:
                    yield piece

    async def _stream(
        self, messages: Sequence[Message], model: str, temperature: float, tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[ReplyDelta, None]:
        reading = _Reading()
        try:
            async with await self._completions.create(
                model=model,
                messages=cast("list[ChatCompletionMessageParam]", wire_messages(messages)),
                tools=cast("list[ChatCompletionToolParam]", wire_tools(tools)) or omit,
                temperature=temperature,
                stream=True,
                stream_options={"include_usage": True},
            ) as chunks:
                async for chunk in chunks:
                    for piece in reading.take(chunk):
                        yield piece
        except APIStatusError as error:
            raise _status_failure(error) from error
        except APIConnectionError as error:
            raise connection_failure(PROVIDER, error) from error
        except APIError as error:
            raise ProviderError(f"{PROVIDER} broke off its answer", provider=PROVIDER, retryable=True) from error
        if not reading.is_finished:
            raise ProviderError(f"{PROVIDER} cut its answer", provider=PROVIDER, retryable=True)
        counted = reading.tokens or estimate(messages, reading.text, tools=tools, calls=reading.calls)
        yield ReplyDelta(tokens=counted)


class _Reading:
    """What one streamed reply has said so far."""

    def __init__(self) -> None:
        self.text = ""
        self.calls: tuple[ToolCall, ...] = ()
        self.tokens = 0
        self.is_finished = False
        self._assembler = ToolCallAssembler()

    def take(self, chunk: "ChatCompletionChunk") -> Iterator[ReplyDelta]:
        """The pieces in the next chunk."""
        if chunk.usage is not None:  # in a last chunk of its own, without choices
            self.tokens = chunk.usage.total_tokens
        for choice in chunk.choices[:1]:
            if choice.delta.content:
                self.text += choice.delta.content
                yield ReplyDelta(choice.delta.content)
            for fragment in choice.delta.tool_calls or ():
                self._assembler.add(fragment)
                yield _BUSY
            if choice.finish_reason is not None:  # `tool_calls`, or `stop` of endpoints that say no more
                self.is_finished = True
                if calls := self._assembler.take(chunk.id):
                    self.calls += calls
                    yield ReplyDelta(tool_calls=calls)


def _status_failure(error: APIStatusError) -> ProviderError:
    failure = status_failure(PROVIDER, error.status_code, error.response.headers)
    failure.retryable = failure.retryable and error.code != "insufficient_quota"  # a 429 that no waiting helps
    return failure
