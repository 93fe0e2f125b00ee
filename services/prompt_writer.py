"""Has the language model write a prompt, for somebody to review. Nothing is stored."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from models.agent import LlmModel
from models.errors import ProviderError
from models.settings import Settings
from providers.roles import Llm, Message

TEMPERATURE = 0.7
MAX_CHARS = 20_000
"""Nobody reviews more; a model that goes on is hung up on."""
FIRST_TOKEN_S, TOTAL_S = 20.0, 90.0
"""A prompt is longer than an answer on the phone, and whoever asked for it can wait."""

INSTRUCTIONS = """You write system prompts for AI agents that talk to people on the telephone.
Write one for the task that the user describes, in the language with this code: {language}.
Say who the agent is and how it speaks, what the call is for, how it goes step by step, what the agent must not say or
promise, and how it ends the call. The agent is heard, not read: have it speak in short sentences, without lists or
formatting, one question at a time. Where the task names variables in braces, such as {{customer_name}}, keep them
exactly as they are, and invent none. Use at most 4,000 characters. Answer with the prompt alone."""


def unhurried(settings: Settings) -> Settings:
    """The settings of a language model that writes prompts."""
    return settings.model_copy(update={"llm_first_token_s": FIRST_TOKEN_S, "llm_total_s": TOTAL_S})


class PromptWriter:
    """`make_llm` is called at the first request: most processes are never asked."""

    def __init__(self, make_llm: Callable[[], Llm]) -> None:
        self._make_llm = make_llm
        self._making = asyncio.Lock()
        self._llm: Llm | None = None

    async def write(self, *, task: str, language: str, model: LlmModel) -> str:
        """The text of a prompt for the task; raises ProviderError, also when the model has nothing to say."""
        llm = await self._made()
        asked = (Message("system", INSTRUCTIONS.format(language=language)), Message("user", task))
        text = ""
        async with aclosing(llm.reply(asked, model=model, temperature=TEMPERATURE)) as pieces:
            async for piece in pieces:
                text += piece.text
                if len(text) > MAX_CHARS:
                    raise ProviderError("The language model wrote without end", provider="llm", retryable=True)
        written = _unfenced(text)
        if not written:
            raise ProviderError("The language model wrote nothing", provider="llm", retryable=True)
        return written

    async def _made(self) -> Llm:
        """The model. Making it loads the vendor's library; the calls that this process relays cannot wait for that."""
        async with self._making:
            if self._llm is None:
                self._llm = await asyncio.to_thread(self._make_llm)
            return self._llm


def _unfenced(text: str) -> str:
    """Without the fence that models like to put around a text they were asked for."""
    lines = text.strip().splitlines()
    if len(lines) > 1 and lines[0].startswith("```") and lines[-1].strip() == "```":
        lines = lines[1:-1]
    return "\n".join(lines).strip()
