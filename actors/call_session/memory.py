"""What both sides have said, as the language model and the log are told it. Pure."""

import re
from collections.abc import Mapping, Sequence

from actors.call_session import calling, prompt
from actors.call_session.heard import Said
from actors.call_session.protocol import SaveTurn
from actors.call_session.reply import Moments
from models.agent import AgentConfig
from providers.roles import Message

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Memory:
    """The conversation so far. `answered_at` is where the log's times count from."""

    def __init__(self, config: AgentConfig, *, history: Sequence[Message], metadata: Mapping[str, object]) -> None:
        self.messages = list(history)
        self.answered_at = 0.0
        self._system = prompt.system_prompt(config, metadata)

    @property
    def last_said(self) -> str:
        """The agent's last words."""
        said = (message.content for message in reversed(self.messages) if message.role == "assistant")
        return next(filter(None, said), "")

    def chat(self, heard: str, exchange: Sequence[Message], text: str) -> tuple[Message, ...]:
        """The messages to answer the caller's `text` with; `heard` and `exchange` are of a reply under way."""
        under_way = [*calling.remembered(exchange), *([Message("assistant", heard)] if heard else [])]
        messages = [*self.messages, *under_way]
        return prompt.messages_for(self._system, messages, text)

    def keep_exchange(self, exchange: Sequence[Message]) -> None:
        """Function calls of a finished reply and what they gave."""
        self.messages += calling.remembered(exchange)

    def keep_late_answer(self, call_id: str, content: str) -> None:
        """A function answered after its reply was over."""
        calling.answered(self.messages, call_id, content)

    def save_caller(self, said: Said) -> SaveTurn:
        """The caller's finished turn."""
        self.messages.append(Message("user", said.text))
        timings = Moments.heard(said).timings(self.answered_at)
        return SaveTurn("user", said.text, interrupted=False, timings=timings, revision=said.revision)

    def save_agent(self, text: str, moments: Moments, *, interrupted: bool) -> SaveTurn:
        """The agent's finished turn, or what was heard of it."""
        self.messages.append(Message("assistant", text))
        return SaveTurn("assistant", text, interrupted, moments.timings(self.answered_at))


def last_sentence(text: str) -> str:
    """The last sentence of a text."""
    return _SENTENCE_END.split(text)[-1]
