"""What the language model is told, and the fixed sentences the agent says without it. Pure."""

from collections.abc import Mapping, Sequence

from models.agent import AgentConfig
from models.call import FunctionCall, Turn
from providers.roles import Message, ToolCall

SPOKEN_STYLE = (
    "You are speaking on a telephone. Answer in one or two short sentences of plain spoken language, "
    "without lists, markup or emoji. What the caller says is recognised from audio and may contain small errors."
)

NOT_UNDERSTOOD = "Sorry, I did not catch that. Could you say it again?"
REPLY_FAILED = "Sorry, I am having some trouble. Could you say that again please?"
GIVING_UP = "I am sorry, we are having technical trouble. Please call again later. Goodbye."
TIME_IS_UP = "I am sorry, our time is up. Thank you for calling. Goodbye."
GOODBYE = "Thank you for calling. Goodbye."
TRANSFERRING = "One moment, I will put you through."
NO_CREDITS = "I am sorry, I have to end the call now. Thank you for calling. Goodbye."
LOG_STUCK = "I am sorry, we have a technical problem and have to end this call. Goodbye."
RESUMED = "Sorry, the line dropped for a moment."
FIXED = (NOT_UNDERSTOOD, REPLY_FAILED, GIVING_UP, TIME_IS_UP, GOODBYE, TRANSFERRING, NO_CREDITS, LOG_STUCK, RESUMED)

GO_ON = (
    "[The line dropped while you spoke. Go on from where you stopped, without repeating yourself; "
    "if you had said all of it, ask whether you were heard.]"
)
"""In the caller's place, like the keys they press: what the model is told when its own words were cut by a fault."""
LOST = "The connection broke while this ran; it may or may not have happened."
"""What a function gave whose answer nobody has."""


def system_prompt(config: AgentConfig, metadata: Mapping[str, object]) -> str:
    """The agent's prompt, how to speak, and what is known of this call."""
    known = "\n".join(f"{key}: {value}" for key, value in metadata.items())
    return "\n\n".join(filter(None, [config.prompt, SPOKEN_STYLE, known and f"About this call:\n{known}"]))


def history_of(turns: Sequence[Turn]) -> list[Message]:
    """A stored conversation as messages: the functions of a turn, what each of them gave, then what was said."""
    messages: list[Message] = []
    for turn in turns:
        for called in turn.functions:
            messages += messages_of(called)
        if turn.content:
            messages.append(Message(turn.role, turn.content))
    return messages


def messages_of(called: FunctionCall) -> tuple[Message, Message]:
    """A function that was called, as the model has to see it."""
    asked = ToolCall(called.id, called.name, called.arguments)
    answer = LOST if called.result is None else called.result
    return Message("assistant", "", tool_calls=(asked,)), Message("tool", answer, tool_call_id=called.id)


def messages_for(system: str, history: Sequence[Message], caller_text: str) -> tuple[Message, ...]:
    """The chat to complete."""
    return _joined([Message("system", system), *history, Message("user", caller_text)])


def messages_to_go_on(system: str, history: Sequence[Message]) -> tuple[Message, ...]:
    """The chat to complete where nobody has said anything new: an answer is owed, or the rest of one."""
    is_cut = bool(history) and history[-1].role == "assistant"
    return _joined([Message("system", system), *history, *([Message("user", GO_ON)] if is_cut else [])])


def _joined(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Neighbouring messages of one speaker are joined: some models refuse them apart."""
    joined: list[Message] = []
    for message in messages:
        is_plain = message.role in ("user", "assistant") and not message.tool_calls
        if is_plain and joined and not joined[-1].tool_calls and joined[-1].role == message.role:
            joined[-1] = Message(message.role, f"{joined[-1].content} {message.content}")
        else:
            joined.append(message)
    return tuple(joined)
