"""The texts of an agent that one call's variables go into: what the model is told, what is said first. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from models.agent import AgentConfig
from models.errors import FieldError, Invalid
from services.templates import filled, variables


def variables_of(config: AgentConfig) -> tuple[str, ...]:
    """The names that the texts of a configuration use, each once, in order."""
    return tuple(dict.fromkeys(name for text in _texts(config) for name in variables(text)))


def worded(config: AgentConfig, values: Mapping[str, str]) -> AgentConfig:
    """The configuration with values in its texts. Raises Invalid naming every variable without one, and when a text
    becomes too long.
    """
    names = variables_of(config)
    if not names:
        return config
    filled(" ".join(f"{{{name}}}" for name in names), values)
    # Through validation: what is stored is read again, and a text that is too long would make its call unreadable.
    try:
        return AgentConfig.model_validate(_with_texts(config, lambda text: filled(text, values)).model_dump())
    except ValidationError as error:
        raise Invalid(fields=[_problem(each["loc"], each["msg"]) for each in error.errors()]) from error


def _texts(config: AgentConfig) -> tuple[str, ...]:
    return config.prompt, config.first_message, config.voicemail.message


def _with_texts(config: AgentConfig, change: Callable[[str], str]) -> AgentConfig:
    voicemail = config.voicemail.model_copy(update={"message": change(config.voicemail.message)})
    texts: dict[str, Any] = {"prompt": change(config.prompt), "first_message": change(config.first_message)}
    return config.model_copy(update={**texts, "voicemail": voicemail})


def _problem(place: tuple[int | str, ...], message: str) -> FieldError:
    return FieldError("variables", f"With these values, {'.'.join(map(str, place))}: {message}")
