"""Names in the configuration and what they stand for."""

import subprocess
import sys

import pytest

from models.errors import Invalid
from models.settings import Settings
from providers import registry
from providers.roles import MediaStarted

SETTINGS = Settings(_env_file=None)


@pytest.mark.parametrize("name", ["openai", "elevenlabs", "cartesia", "espeak"])
def test_every_voice_provider_of_the_api_can_be_made_without_any_key(name: str) -> None:
    assert callable(registry.tts(name, SETTINGS).speak)


def test_the_language_model_and_the_carrier_can_be_made() -> None:
    assert callable(registry.llm(SETTINGS).reply)
    assert callable(registry.telephony("exotel", SETTINGS).place_call)


def test_a_codec_is_made_per_socket_and_knows_its_query() -> None:
    codec = registry.media_codec("exotel", {"sample-rate": "16000"})
    assert codec.decode('{"event":"start","start":{}}') == MediaStarted("", "", 16_000)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="cartesia, elevenlabs, espeak, openai"):
        registry.tts("nope", SETTINGS)
    with pytest.raises(Invalid, match="exotel"):
        registry.media_codec("nope", {})


@pytest.mark.integration
def test_importing_the_registry_loads_no_vendors_code() -> None:
    vendors = {"openai", "elevenlabs", "httpx", "phonenumbers", "espeakng_loader", "soxr", "onnxruntime", "ray"}
    program = f"import sys, providers.registry; print(sorted({vendors} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


async def test_warming_up_is_harmless() -> None:
    await registry.warm_up()
