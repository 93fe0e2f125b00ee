"""Partial updates of an agent's configuration. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from models.agent import AgentConfig
from models.errors import FieldError, Invalid

Patch = Mapping[str, Any]
"""Part of a configuration in the API's (camelCase) names, nested as there."""


def merge(current: AgentConfig, patch: Patch) -> tuple[AgentConfig, dict[str, Any]]:
    """The configuration with the patch in it, and the changed leaves by dotted path (`voice.voiceId`) for the store.

    Setting leaves rather than the whole keeps two updates of different fields from undoing each other. Raises Invalid.
    """
    patch = _with_short_forms(patch)
    merged = overlay(current.model_dump(by_alias=True), patch)
    try:
        config = AgentConfig.model_validate(merged)
    except ValidationError as error:
        fields = [FieldError(".".join(("config", *map(str, e["loc"]))), e["msg"]) for e in error.errors()]
        raise Invalid(fields=fields) from error
    valid = config.model_dump(by_alias=True)
    return config, {path: value for path in _leaves(patch) for value in _at(valid, path)}


def _with_short_forms(patch: Patch) -> Patch:
    """The API's own example of an update writes `config.temperature` for `config.llm.temperature`."""
    if "temperature" not in patch:
        return patch
    rest = {key: value for key, value in patch.items() if key != "temperature"}
    llm = rest.get("llm", {})
    return {**rest, "llm": {"temperature": patch["temperature"], **llm}} if isinstance(llm, Mapping) else rest


def overlay(base: Patch, patch: Patch) -> dict[str, Any]:
    """The base with what the patch names, at any depth."""
    merged = dict(base)
    for key, value in patch.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _leaves(patch: Patch, prefix: str = "") -> Iterator[str]:
    for key, value in patch.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _at(tree: Patch, path: str) -> Iterator[Any]:
    """The value at a dotted path, if the path is one of a configuration's."""
    here: Any = tree
    for key in path.split("."):
        if not isinstance(here, Mapping) or key not in here:
            return
        here = here[key]
    yield here
