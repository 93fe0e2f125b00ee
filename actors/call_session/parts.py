"""What a call actor keeps between calls (database, vendors' clients, models), and the parts it makes a call of."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np

from actors.billing.client import LedgerClient
from actors.call_session.driver import CallParts
from actors.call_session.sentences import fixed_clauses
from actors.speech_to_text.client import RayStt
from models.call import Call, SessionId
from models.settings import Settings
from providers import registry
from providers.roles import Tts
from providers.tools.http import http_tools
from providers.tts.cache import CachedTts, SpeechCache
from providers.vad.silero import WINDOW, SileroVad
from services import traces
from services.call_log import CallLog
from services.sms import sms_for
from services.tool_secrets import opened
from services.tools import ToolRunner
from services.webhook_events import WebhookEvents
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from stores.secrets import Secrets

CARRIER = "exotel"
LOCAL_VOICE = "espeak"
RECORDINGS = "recordings"


class Workshop:
    """One per actor process. `speech_to_text` holds the workers' handles."""

    def __init__(self, settings: Settings, speech_to_text: Sequence[Any]) -> None:
        traces.begin(settings)
        self._settings = settings
        self._client = connect(settings)
        self._repositories = Repositories.over(database(self._client, settings))
        events = Events(settings.redis_url or "")
        self.log = CallLog(self._repositories.calls, LedgerClient(settings), events, WebhookEvents(self._repositories))
        self._stt = RayStt(speech_to_text, timeout_s=settings.stt_timeout_s)
        self._llm = registry.llm(settings)
        self._telephony = registry.telephony(CARRIER, settings)
        self._http_tools = http_tools(settings)
        self._secrets = Secrets(settings.encryption_key)
        self._voices: dict[str, Tts] = {}
        self._speech = SpeechCache()

    async def warm_up(self) -> None:
        """Do once what would make a first call wait."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # below that it prints every address, keys included
        SileroVad().probability(np.zeros(WINDOW, dtype=np.float32))
        await registry.warm_up()
        for name in self._configured_voices():
            self._voice(name)
        voice = self._voice(LOCAL_VOICE)
        async with aclosing(voice.speak("ready", voice_id="en-us", model=None, language="en", rate_hz=8_000)) as speech:
            await anext(speech)
        await self._client.admin.command("ping")

    async def call(self, session_id: str) -> Call:
        """The call of a session; raises NotFound."""
        return await self._repositories.calls.session(SessionId(session_id))

    def parts(self, call: Call, query: Mapping[str, str]) -> CallParts:
        """Fresh state for one call; `query` is that of the carrier's URL."""
        config = call.agent_config
        name = config.voice.provider
        return CallParts(
            settings=self._settings,
            codec=registry.media_codec(CARRIER, query),
            vad=SileroVad(),
            stt=self._stt,
            llm=self._llm,
            tts=CachedTts(self._voice(name), name, self._speech, fixed_clauses(config)),
            fallback_tts=self._voice(LOCAL_VOICE),
            tools=self._tools(call),
            log=self.log,
            recording_path=self._settings.callboard_data_dir / RECORDINGS / f"{call.id}.wav",
        )

    def _tools(self, call: Call) -> ToolRunner:
        """The functions of the call's agent. A call the carrier was told to make has no flow to be transferred in."""
        sms = sms_for(call, self._repositories.phones, self._secrets, self._telephony)
        tools = opened(call.agent_config.tools, self._secrets)
        return ToolRunner(
            tools,
            http=self._http_tools,
            sms=sms,
            can_transfer=call.direction == "inbound",
            dispositions=call.agent_config.words,
        )

    def _voice(self, name: str) -> Tts:
        """The voice vendor, made once: its SDK costs a second and 30 MB, its connections are worth keeping."""
        if name not in self._voices:
            self._voices[name] = registry.tts(name, self._settings)
        return self._voices[name]

    def _configured_voices(self) -> list[str]:
        """The vendors we have keys for: a call to one must not wait for its SDK."""
        keys = {
            "elevenlabs": self._settings.elevenlabs_api_key,
            "openai": self._settings.openai_api_key,
            "cartesia": self._settings.cartesia_api_key,
        }
        return [name for name, key in keys.items() if key.get_secret_value()]
