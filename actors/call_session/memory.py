"""What both sides have said, as the language model and the log are told it. Pure."""

import re
from collections.abc import Mapping, Sequence

from actors.call_session import calling, prompt
from actors.call_session.heard import Said
from actors.call_session.protocol import SaveTurn
from actors.call_session.reply import Moments
from models.agent import AgentConfig
from models.call import FunctionCall
from providers.roles import Message

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Memory:
    """The conversation so far. `answered_at` is where the log's times count from."""

    def __init__(
        self,
        config: AgentConfig,
        *,
        history: Sequence[Message],
        metadata: Mapping[str, object],
        functions: Sequence[FunctionCall] = (),
    ) -> None:
        self.messages = list(history)
        self.answered_at = 0.0
        self._untold = list(functions)
        """Called in a turn of which nothing was heard: the log has them with the next."""
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

    def chat_to_go_on(self) -> tuple[Message, ...]:
        """The messages for an answer, or the rest of one, that is owed to the caller."""
        return prompt.messages_to_go_on(self._system, self.messages)

    def functions(self, exchange: Sequence[Message] = ()) -> tuple[FunctionCall, ...]:
        """What the log has to learn of functions with the agent's next turn; `exchange` is of a reply under way."""
        return (*self._untold, *calling.calls_of(exchange))

    def keep_exchange(self, exchange: Sequence[Message]) -> None:
        """Function calls of a finished reply and what they gave."""
        self.messages += calling.remembered(exchange)
        self._untold += calling.calls_of(exchange)

    def say_nothing(self) -> None:
        """Nothing was heard of the reply: what it did is the next turn's, except that it was to be the last."""
        self._untold = [call for call in self._untold if not calling.is_ending(call.name)]

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
        functions, self._untold = tuple(self._untold), []
        return SaveTurn("assistant", text, interrupted, moments.timings(self.answered_at), functions=functions)


def last_sentence(text: str) -> str:
    """The last sentence of a text."""
    return _SENTENCE_END.split(text)[-1]
