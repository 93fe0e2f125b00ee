"""The vocabulary of one call: what can happen to it (events) and what it can ask for (commands).

Events go into `machine.handle(event, now)`; commands come out and `driver.py` carries them out. Every answer to
something slow carries the turn or the utterance it belongs to. PCM is 16-bit little-endian mono at the carrier's rate.
"""

from dataclasses import dataclass

from models.call import CallStatus, TurnTimings
from providers.roles import Message


# --- events -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Answered:
    """The carrier's media stream is up; audio flows at `rate_hz` in messages of `chunk_bytes`."""

    rate_hz: int
    chunk_bytes: int


@dataclass(frozen=True, slots=True)
class FrameHeard:
    """One 32 ms window of caller audio and the VAD's probability that it is speech."""

    probability: float


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The answer to a `Transcribe`; empty text: nothing worth calling words."""

    utterance: int
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class TranscribeFailed:
    """Speech to text gave up on an utterance."""

    utterance: int
    revision: int


@dataclass(frozen=True, slots=True)
class ReplyPiece:
    """Streamed text of a turn's reply."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """The reply's stream ended well."""

    turn: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The language model failed; what had arrived before stays."""

    turn: int


@dataclass(frozen=True, slots=True)
class SpeechPiece:
    """Synthesised PCM of one clause."""

    turn: int
    clause: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class SpeechDone:
    """A clause is completely synthesised; after a failure, with whatever audio came."""

    turn: int
    clause: int


@dataclass(frozen=True, slots=True)
class VoiceFailed:
    """The voice's vendor failed; the clause is being said by the local voice instead."""

    turn: int


@dataclass(frozen=True, slots=True)
class PlaybackMark:
    """The carrier has played everything before the mark."""

    name: str


@dataclass(frozen=True, slots=True)
class CreditsExhausted:
    """The account is empty: say so and end."""


@dataclass(frozen=True, slots=True)
class EndRequested:
    """Somebody with the right to do so ends the call now."""

    reason: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller, or the carrier, is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened, but the deadline passed."""


Event = (
    Answered
    | FrameHeard
    | Transcribed
    | TranscribeFailed
    | ReplyPiece
    | ReplyDone
    | ReplyFailed
    | SpeechPiece
    | SpeechDone
    | VoiceFailed
    | PlaybackMark
    | CreditsExhausted
    | EndRequested
    | HungUp
    | Tick
)


# --- commands ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Connect:
    """Write that the call is in progress, then tell."""


@dataclass(frozen=True, slots=True)
class OpenUtterance:
    """Speech began: keep its audio, with the pre-roll."""

    utterance: int


@dataclass(frozen=True, slots=True)
class CloseUtterance:
    """The utterance is over; audio after this belongs to the next."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise the utterance as far as it goes; answers `Transcribed` or `TranscribeFailed`."""

    utterance: int
    revision: int
    speech_s: float


@dataclass(frozen=True, slots=True)
class StartReply:
    """Ask the language model; answers `ReplyPiece`* then `ReplyDone` or `ReplyFailed`."""

    turn: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Voice one clause; answers `SpeechPiece`* then `SpeechDone`."""

    turn: int
    clause: int
    text: str


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """Stop everything slow that was asked for this turn."""

    turn: int


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Play PCM: `at` is when it starts sounding on the playout clock (for the recording)."""

    pcm: bytes
    at: float


@dataclass(frozen=True, slots=True)
class SendMark:
    """Ask the carrier to say when everything so far was played."""

    name: str


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Drop whatever the carrier has not played."""


@dataclass(frozen=True, slots=True)
class SaveTurn:
    """Append a finished turn to the call log, then tell."""

    role: str
    text: str
    interrupted: bool
    timings: TurnTimings


@dataclass(frozen=True, slots=True)
class SaveUsage:
    """Write and charge what the call has used so far."""


@dataclass(frozen=True, slots=True)
class ReportError:
    """Tell the dashboards of a fault the call survives (`STT_ERROR`, `LLM_ERROR`, `TTS_ERROR`)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is over: write the final log, release everything, close the media."""

    status: CallStatus
    reason: str


Command = (
    Connect
    | OpenUtterance
    | CloseUtterance
    | Transcribe
    | StartReply
    | Synthesize
    | CancelTurn
    | SendAudio
    | SendMark
    | ClearPlayback
    | SaveTurn
    | SaveUsage
    | ReportError
    | Finish
)
