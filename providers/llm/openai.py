"""A language model behind OpenAI's chat completions protocol: OpenAI itself or any endpoint compatible with it."""

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, cast

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI

from models.errors import ProviderError
from providers.deadlines import Limits, bounded
from providers.http_failures import connection_failure, status_failure
from providers.llm.tokens import estimate
from providers.roles import Message, ReplyDelta

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

PROVIDER = "openai"


class OpenAiLlm:
    """Satisfies `roles.Llm`. `client` must not retry by itself (`max_retries=0`)."""

    def __init__(self, client: AsyncOpenAI, limits: Limits) -> None:
        self._completions = client.chat.completions  # here, because it imports a good deal at its first use
        self._limits = limits

    def reply(self, messages: Sequence[Message], *, model: str, temperature: float) -> AsyncGenerator[ReplyDelta, None]:
        """The reply, piece by piece; the last one has the tokens, estimated if the endpoint does not count them.

        Closing the generator closes the HTTP stream at once; the tokens of such a reply are never told, see
        `tokens.estimate`. A stream that ends before its finish reason is a ProviderError after what had arrived.
        """
        return bounded(lambda: self._stream(messages, model, temperature), self._limits, provider=PROVIDER)

    async def _stream(
        self, messages: Sequence[Message], model: str, temperature: float
    ) -> AsyncGenerator[ReplyDelta, None]:
        text, tokens, is_finished = "", 0, False
        try:
            async with await self._completions.create(
                model=model,
                messages=_wire(messages),
                temperature=temperature,
                stream=True,
                stream_options={"include_usage": True},
            ) as chunks:
                async for chunk in chunks:
                    if chunk.usage is not None:  # in a last chunk of its own, without choices
                        tokens = chunk.usage.total_tokens
                    for choice in chunk.choices[:1]:
                        is_finished = is_finished or choice.finish_reason is not None
                        if choice.delta.content:
                            text += choice.delta.content
                            yield ReplyDelta(choice.delta.content)
        except APIStatusError as error:
            raise _status_failure(error) from error
        except APIConnectionError as error:
            raise connection_failure(PROVIDER, error) from error
        except APIError as error:
            raise ProviderError(f"{PROVIDER} broke off its answer", provider=PROVIDER, retryable=True) from error
        if not is_finished:
            raise ProviderError(f"{PROVIDER} cut its answer", provider=PROVIDER, retryable=True)
        yield ReplyDelta(tokens=tokens or estimate(messages, text))


def _wire(messages: Sequence[Message]) -> "list[ChatCompletionMessageParam]":
    return cast(
        "list[ChatCompletionMessageParam]",
        [{"role": message.role, "content": message.content} for message in messages],
    )


def _status_failure(error: APIStatusError) -> ProviderError:
    failure = status_failure(PROVIDER, error.status_code, error.response.headers)
    failure.retryable = failure.retryable and error.code != "insufficient_quota"  # a 429 that no waiting helps
    return failure
