"""The sentences an agent says in every call, cut as they are voiced: worth keeping once they have been. Pure."""

from actors.call_session import prompt
from actors.call_session.clauses import ClauseCutter
from models.agent import AgentConfig


def fixed_clauses(config: AgentConfig) -> frozenset[str]:
    """Greeting, acknowledgements, fillers, questions into silence, and the fixed sentences of `prompt`."""
    sentences = (
        config.first_message,
        config.voicemail.message,
        config.silence.reprompt,
        config.silence.goodbye,
        *prompt.FIXED,
    )
    as_they_stand = (*config.turn_taking.acknowledgements, *(tool.filler for tool in config.tools.functions))
    return frozenset(clause for text in sentences for clause in _clauses(text)) | frozenset(filter(None, as_they_stand))


def _clauses(text: str) -> list[str]:
    cutter = ClauseCutter()
    return [*cutter.feed(text), *cutter.flush()]
