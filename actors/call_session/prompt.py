"""What the language model is told, and the fixed sentences the agent says without it. Pure."""

from collections.abc import Mapping, Sequence

from models.agent import AgentConfig
from models.call import Turn
from providers.roles import Message

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
FIXED = (NOT_UNDERSTOOD, REPLY_FAILED, GIVING_UP, TIME_IS_UP, GOODBYE, TRANSFERRING, NO_CREDITS)


def system_prompt(config: AgentConfig, metadata: Mapping[str, object]) -> str:
    """The agent's prompt, how to speak, and what is known of this call."""
    known = "\n".join(f"{key}: {value}" for key, value in metadata.items())
    return "\n\n".join(filter(None, [config.prompt, SPOKEN_STYLE, known and f"About this call:\n{known}"]))


def history_of(turns: Sequence[Turn]) -> list[Message]:
    """A stored conversation as messages."""
    return [Message(turn.role, turn.content) for turn in turns]


def messages_for(system: str, history: Sequence[Message], caller_text: str) -> tuple[Message, ...]:
    """The chat to complete. Neighbouring messages of one speaker are joined: some models refuse them apart."""
    joined: list[Message] = [Message("system", system)]
    for message in [*history, Message("user", caller_text)]:
        is_plain = message.role in ("user", "assistant") and not (message.tool_calls or joined[-1].tool_calls)
        if is_plain and joined[-1].role == message.role:
            joined[-1] = Message(message.role, f"{joined[-1].content} {message.content}")
        else:
            joined.append(message)
    return tuple(joined)
