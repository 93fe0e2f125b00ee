"""The roles vendors play, one Protocol each. Everything above this package knows only these words.

A provider raises `models.errors.ProviderError` and nothing else for a vendor's failure; deadlines and
bounded retries live inside the provider, so a caller sees one answer or one error.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol

from models.call import CallStatus
from models.sound import Floats
from providers.text_messages import SendSms as SendSms, SentSms as SentSms, SmsUpdate as SmsUpdate


# --- voice activity ---------------------------------------------------------------------------------
class Vad(Protocol):
    """Voice activity of one stream; keeps the model's state between windows."""

    def probability(self, window: Floats) -> float:
        """How likely the 512 samples (32 ms at 16 kHz) that follow the last ones are speech, 0 to 1."""


# --- speech to text ---------------------------------------------------------------------------------
class SttKind(IntEnum):
    """What a recognition is for; the lower is served first."""

    FINAL = 0
    """The utterance is over and somebody waits. Never shed."""
    SPEC = 1
    """A pause that may be the end: the text is final if the caller stays silent."""
    PARTIAL = 2
    """The caller still speaks: words so far. The newest of a call replaces one that waits."""


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """One utterance: G.711 mu-law bytes, one byte a sample, at 8,000 or 16,000 Hz; `speech_s` of it is speech."""

    mulaw: bytes
    rate_hz: int
    speech_s: float
    language: str = "en"


@dataclass(frozen=True, slots=True)
class SttRequest:
    """One recognition. An utterance is asked for again as it grows: answers are told apart by
    (`call`, `utterance`, `revision`), and a newer revision makes an older one that still waits worthless."""

    call: str
    utterance: int
    revision: int
    kind: SttKind
    audio: SpeechAudio


SHED = "shed"
"""`rejected` of an answer that was never decoded: too busy for it, or something newer took its place."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. Empty `text` with a `rejected` reason: the engine heard no words it would vouch for."""

    text: str
    confidence: float
    """exp of the average log-probability per token, 0 to 1."""
    rejected: str | None = None
    decode_ms: float = 0.0
    queue_ms: float = 0.0
    backlog_ms: float = 0.0
    """How long the worker would need for all FINALs and SPECs that wait there now; callers ask less when it grows."""


class Stt(Protocol):
    """Whole-utterance recognition."""

    async def transcribe(self, request: SttRequest) -> Transcript:
        """The words of one utterance so far; raises ProviderError when the engine fails or its deadline passes."""


# --- language model ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called; `arguments` is JSON text as the model wrote it, not yet checked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `tool_calls` only of the assistant; `tool_call_id` only of role `tool`."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function offered to the model; `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """A piece of a streamed reply. `tool_calls` come whole, after the text; the last delta carries `tokens` (prompt +
    completion, as the vendor counted)."""

    text: str = ""
    tokens: int = 0
    tool_calls: tuple[ToolCall, ...] = ()


class Llm(Protocol):
    """A streaming chat model."""

    def reply(
        self, messages: Sequence[Message], *, model: str, temperature: float, tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ReplyDelta, None]:
        """The reply, piece by piece. First-token and total deadlines apply; a retry never follows the first piece.

        Closing the generator hangs up on the vendor at once.
        """


# --- text to speech ---------------------------------------------------------------------------------
class Tts(Protocol):
    """A streaming voice."""

    def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """Speech as 16-bit little-endian mono PCM at `rate_hz`, in pieces of whole samples, as the vendor has them."""


# --- telephony: calls -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class CarrierCredentials:
    """A carrier account, in the clear; lives only in memory."""

    sid: str
    subdomain: str
    api_key: str = field(repr=False)
    api_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """One outbound call. Numbers are E.164; `media_url` is where the carrier connects its media socket."""

    from_number: str
    to_number: str
    media_url: str
    status_url: str
    ring_timeout_s: int
    time_limit_s: int


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """The carrier took the call; that nobody has answered yet is certain."""

    carrier_call_id: str


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call to one of our numbers, as the carrier announced it; numbers normalised to E.164 where possible."""

    carrier_call_id: str
    from_number: str
    to_number: str


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """A carrier's word on a call; `recording_url` and `duration_s` when it had them."""

    carrier_call_id: str
    status: CallStatus | None
    duration_s: int | None = None
    recording_url: str | None = None


class Telephony(Protocol):
    """A carrier's call API and webhooks."""

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        """Dial. Never retried after the request may have reached the carrier: a call must not be dialled twice."""

    async def send_sms(self, credentials: CarrierCredentials, sms: SendSms) -> SentSms:
        """Hand a text message to the carrier; whether it arrives is not known. Never retried after the request may
        have reached the carrier. Raises ProviderError: retryable when it has certainly not taken the message.
        """

    async def check_account(self, credentials: CarrierCredentials) -> None:
        """Ask whether the credentials open the account; raises Invalid when not, ProviderError when nobody can say."""

    async def fetch_call(self, credentials: CarrierCredentials, carrier_call_id: str) -> StatusUpdate | None:
        """The carrier's own word on a call; None when it knows none of this id. A status that may mean anything is
        None too. Raises ProviderError.
        """

    def parse_incoming(self, body: Mapping[str, object]) -> IncomingCall:
        """An incoming-call webhook; raises Invalid when it is not one."""

    def parse_status(self, body: Mapping[str, object]) -> StatusUpdate:
        """A status or recording webhook; raises Invalid when it is not one."""

    def parse_sms(self, body: Mapping[str, object]) -> SmsUpdate:
        """A webhook on a text message; raises Invalid when it is not one."""


# --- telephony: media -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The carrier's media stream is up: whose it is and what its audio is."""

    stream_id: str
    carrier_call_id: str
    rate_hz: int


@dataclass(frozen=True, slots=True)
class MediaAudio:
    """Caller audio: 16-bit little-endian mono PCM at the stream's rate."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class DtmfPressed:
    """One key of the caller's phone: 0-9, *, # or A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """The carrier has played everything sent before this mark."""

    name: str


@dataclass(frozen=True, slots=True)
class MediaStopped:
    """The stream is over, in the carrier's word (`callended`, `stopped`)."""

    reason: str


@dataclass(frozen=True, slots=True)
class MediaGarbage:
    """A message that is none of the carrier's; `problem` says why, without quoting it."""

    problem: str


MediaMessage = MediaStarted | MediaAudio | DtmfPressed | MarkPlayed | MediaStopped | MediaGarbage


class MediaCodec(Protocol):
    """A carrier's media socket in one direction and the other; pure, one object per stream. Never raises on input."""

    def decode(self, message: str | bytes) -> MediaMessage | None:
        """What one message from the carrier means; None: nothing (such as `connected`)."""

    def encode_audio(self, pcm: bytes) -> str:
        """One audio message; `pcm` obeys `chunk_bytes`."""

    def encode_mark(self, name: str) -> str:
        """A mark the carrier echoes once everything before it was played."""

    def encode_clear(self) -> str:
        """Drop whatever has not been played."""

    def chunk_bytes(self, rate_hz: int) -> int:
        """PCM bytes per audio message; the sender pads the last of an utterance with silence to this size."""
