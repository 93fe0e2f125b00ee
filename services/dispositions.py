"""What calls come to, in the customer's own words: which words a call may have, and which an agent may name. Pure."""

from models.agent import AgentConfig
from models.call import Call
from models.errors import FieldError, Invalid


def check_word(call: Call, name: str) -> None:
    """Raises Invalid for a word the call's agent has not; of an agent without words a call may come to anything."""
    words = call.agent_config.dispositions
    if words and name not in words:
        raise Invalid(fields=[FieldError("name", f"Must be one of: {', '.join(words)}")])


def check_words(config: AgentConfig) -> None:
    """Raises Invalid when the text message after a call waits for a word that no call of the agent's can come to."""
    words = config.dispositions
    unknown = [name for name in config.sms_after.dispositions if words and name not in words]
    if unknown:
        problem = f"Not among the agent's dispositions: {', '.join(unknown)}"
        raise Invalid(fields=[FieldError("config.smsAfter.dispositions", problem)])
