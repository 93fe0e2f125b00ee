"""Prompts written by the language model."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest
from openai import AsyncOpenAI

from models.errors import ProviderError
from models.settings import Settings
from providers.deadlines import Limits
from providers.llm.openai import OpenAiLlm
from providers.roles import Llm, Message, ReplyDelta, ToolSpec
from services.prompt_writer import FIRST_TOKEN_S, MAX_CHARS, TOTAL_S, PromptWriter, unhurried
from simulators.llm import LlmServer


@dataclass
class Writing:
    """A model that says these pieces: Llm."""

    pieces: Sequence[str]
    asked: list[tuple[Sequence[Message], str]] = field(default_factory=list)
    hung_up: bool = False

    async def reply(
        self, messages: Sequence[Message], *, model: str, temperature: float, tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ReplyDelta, None]:
        """The pieces, and then the tokens."""
        self.asked.append((messages, model))
        try:
            for piece in self.pieces:
                yield ReplyDelta(piece)
            yield ReplyDelta(tokens=7)
        finally:
            self.hung_up = True


async def written(model: Writing) -> str:
    return await PromptWriter(lambda: model).write(task="Remind {customer_name}.", language="hi", model="gpt-4")


async def test_the_model_is_asked_for_the_task_in_the_language() -> None:
    model = Writing(["You are ", "Tanya. Greet {customer_name}.\n"])
    assert await written(model) == "You are Tanya. Greet {customer_name}."
    ((messages, name),) = model.asked
    assert name == "gpt-4"
    assert [message.role for message in messages] == ["system", "user"]
    assert "this code: hi." in messages[0].content
    assert "{customer_name}" in messages[0].content
    assert messages[1].content == "Remind {customer_name}."


async def test_a_fence_around_the_text_is_taken_off() -> None:
    assert (
        await written(Writing(["```markdown\n# You are Tanya.\n", "Be kind.\n```\n"])) == "# You are Tanya.\nBe kind."
    )


@pytest.mark.parametrize("pieces", [[], ["  \n"], ["```\n```"]])
async def test_a_model_that_says_nothing_has_failed(pieces: list[str]) -> None:
    with pytest.raises(ProviderError, match="nothing"):
        await written(Writing(pieces))


async def test_a_model_that_goes_on_is_hung_up_on() -> None:
    model = Writing(["x" * 1000] * (MAX_CHARS // 500))
    with pytest.raises(ProviderError, match="without end"):
        await written(model)
    assert model.hung_up


async def test_the_model_is_made_at_the_first_request_and_kept() -> None:
    made: list[Llm] = []

    def make() -> Llm:
        made.append(Writing(["You are Tanya."]))
        return made[-1]

    writer = PromptWriter(make)
    assert made == []
    asked = (writer.write(task="Remind them.", language="en", model="gpt-4") for _ in range(3))
    assert await asyncio.gather(*asked) == ["You are Tanya."] * 3
    assert len(made) == 1


def test_a_long_text_gets_the_time_it_takes() -> None:
    settings = Settings(_env_file=None)
    patient = unhurried(settings)
    assert (patient.llm_first_token_s, patient.llm_total_s) == (20, 90)
    assert patient.model_copy(update=settings.model_dump(include={"llm_first_token_s", "llm_total_s"})) == settings


def a_client(server: LlmServer) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="test", base_url=server.base_url, max_retries=0)


@pytest.mark.integration
async def test_a_real_endpoint_is_asked() -> None:
    async with LlmServer(lambda _: "You are Tanya.") as server, a_client(server) as client:
        writer = PromptWriter(lambda: OpenAiLlm(client, Limits(FIRST_TOKEN_S, TOTAL_S, attempts=1)))
        assert await writer.write(task="Remind them.", language="en", model="gpt-4") == "You are Tanya."
        (request,) = server.requests
        assert (request.model, [message["role"] for message in request.messages]) == ("gpt-4", ["system", "user"])
