"""Partial updates of a configuration."""

from typing import Any

import pytest

from models.errors import Invalid
from services.agent_merge import merge
from tests.documents import CONFIG


def test_what_is_not_named_stays() -> None:
    config, leaves = merge(CONFIG, {"voice": {"voiceId": "en-gb"}, "prompt": "Another long prompt."})
    assert config.voice.voice_id == "en-gb"
    assert config.voice.provider == CONFIG.voice.provider
    assert config.llm == CONFIG.llm
    assert leaves == {"voice.voiceId": "en-gb", "prompt": "Another long prompt."}


def test_the_documents_short_form_sets_the_models_temperature() -> None:
    config, leaves = merge(CONFIG, {"temperature": 0.8})
    assert config.llm.temperature == 0.8
    assert leaves == {"llm.temperature": 0.8}


def test_values_are_stored_as_validated_and_unknown_fields_are_not() -> None:
    _, leaves = merge(CONFIG, {"sessionTimeout": "60", "color": "red", "voice": {"pitch": 3}, "$set": {"a": 1}})
    assert leaves == {"sessionTimeout": 60}


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"voice": {"provider": "acme"}}, "config.voice.provider"),
        ({"voice": "espeak"}, "config.voice"),
        ({"llm": None}, "config.llm"),
        ({"temperature": 3}, "config.llm.temperature"),
        ({"prompt": "short"}, "config.prompt"),
        ({"temperature": 0.1, "llm": "gpt-4"}, "config.llm"),
    ],
)
def test_a_refused_value_is_named_by_its_path(patch: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        merge(CONFIG, patch)
    assert [refused.field for refused in caught.value.fields] == [field]
