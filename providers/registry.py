"""From a name in the configuration to the provider that plays the role. One table per role.

A factory imports its vendor's SDK when it is called, so a process loads only what it uses. What it returns holds
a connection pool: make one per process and name, and keep it.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from models.errors import Invalid
from models.settings import Settings
from providers.deadlines import Limits
from providers.roles import Llm, MediaCodec, Telephony, Tts

F = TypeVar("F")


async def warm_up() -> None:
    """Load what every HTTP client loads at its first request otherwise, which takes about 0.2 s of somebody's call."""
    import anyio.lowlevel

    await anyio.lowlevel.checkpoint()


def tts(name: str, settings: Settings) -> Tts:
    """The voice vendor called `name`."""
    return _named(TTS, name, "voice provider")(settings)


def llm(settings: Settings) -> Llm:
    """The language model behind the configured endpoint."""
    from openai import AsyncOpenAI

    from providers.llm.openai import OpenAiLlm

    limits = Limits(settings.llm_first_token_s, settings.llm_total_s, settings.llm_attempts)
    client = AsyncOpenAI(
        api_key=_openai_key(settings),
        base_url=settings.openai_base_url,
        max_retries=0,
        timeout=settings.llm_total_s,
    )
    return OpenAiLlm(client, limits)


def telephony(name: str, settings: Settings) -> Telephony:
    """The carrier called `name`."""
    return _named(TELEPHONY, name, "carrier")(settings)


def media_codec(name: str, query: Mapping[str, str]) -> MediaCodec:
    """A codec for one media socket of the carrier called `name`; `query` is that of the socket's URL."""
    return _named(MEDIA_CODECS, name, "carrier")(query)


def _openai_tts(settings: Settings) -> Tts:
    from openai import AsyncOpenAI

    from providers.tts.openai import OpenAiTts

    client = AsyncOpenAI(
        api_key=_openai_key(settings),
        base_url=settings.openai_base_url,
        max_retries=0,
        timeout=settings.tts_total_s,
    )
    return OpenAiTts(client, _tts_limits(settings))


def _elevenlabs_tts(settings: Settings) -> Tts:
    from elevenlabs.client import AsyncElevenLabs

    from providers.tts.elevenlabs import ElevenLabsTts

    client = AsyncElevenLabs(
        api_key=settings.elevenlabs_api_key.get_secret_value(),
        base_url=settings.elevenlabs_base_url,
        timeout=settings.tts_total_s,
    )
    return ElevenLabsTts(client, _tts_limits(settings))


def _cartesia_tts(settings: Settings) -> Tts:
    import httpx

    from providers.tts.cartesia import BASE_URL, CartesiaTts

    http = httpx.AsyncClient(base_url=settings.cartesia_base_url or BASE_URL, timeout=settings.tts_total_s)
    return CartesiaTts(http, _tts_limits(settings), api_key=settings.cartesia_api_key.get_secret_value())


def _espeak_tts(settings: Settings) -> Tts:
    from providers.tts.espeak import EspeakTts

    return EspeakTts()


def _exotel(settings: Settings) -> Telephony:
    import httpx

    from providers.telephony.exotel.rest import ExotelTelephony

    http = httpx.AsyncClient(timeout=settings.carrier_timeout_s)
    return ExotelTelephony(http, base_url=settings.exotel_base_url)


def _exotel_media(query: Mapping[str, str]) -> MediaCodec:
    from providers.telephony.exotel.media import ExotelMedia

    return ExotelMedia(query)


TTS: Mapping[str, Callable[[Settings], Tts]] = {
    "cartesia": _cartesia_tts,
    "elevenlabs": _elevenlabs_tts,
    "espeak": _espeak_tts,
    "openai": _openai_tts,
}
TELEPHONY: Mapping[str, Callable[[Settings], Telephony]] = {"exotel": _exotel}
MEDIA_CODECS: Mapping[str, Callable[[Mapping[str, str]], MediaCodec]] = {"exotel": _exotel_media}


def _named(table: Mapping[str, F], name: str, role: str) -> F:
    if name not in table:
        raise Invalid(f"Unknown {role}: one of {', '.join(sorted(table))}")
    return table[name]


def _tts_limits(settings: Settings) -> Limits:
    return Limits(settings.tts_first_byte_s, settings.tts_total_s, settings.tts_attempts)


def _openai_key(settings: Settings) -> str:
    """The key; local endpoints need none, but the SDK would then look for one in the environment."""
    return settings.openai_api_key.get_secret_value() or "none"
