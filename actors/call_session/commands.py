"""What a call can ask for: commands come out of `machine.handle` and `driver.py` carries them out.

PCM is 16-bit little-endian mono at the carrier's rate.
"""

from dataclasses import dataclass

from models.call import CallStatus, FunctionCall, TurnTimings
from models.conversation import AnsweredBy
from providers.roles import Message, SttKind, ToolCall


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
    kind: SttKind
    speech_s: float


@dataclass(frozen=True, slots=True)
class StartReply:
    """Ask the language model; answers `ReplyPiece`* then `ReplyDone` or `ReplyFailed`."""

    turn: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class RunTool:
    """Call a function; answers `ToolAnswered`."""

    turn: int
    call: ToolCall


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
    """Append a finished turn to the call log, then tell. `revision` follows those of its partial texts."""

    role: str
    text: str
    interrupted: bool
    timings: TurnTimings
    revision: int = 0
    functions: tuple[FunctionCall, ...] = ()


@dataclass(frozen=True, slots=True)
class SaveProgress:
    """Write how far the agent's turn has come: `text` was heard, `clause` sounds in `starts_in_s` for `clause_s`."""

    text: str
    clause: str
    starts_in_s: float
    clause_s: float
    functions: tuple[FunctionCall, ...] = ()


@dataclass(frozen=True, slots=True)
class TellPartial:
    """Tell what the caller has said so far of a turn that is not over; not stored."""

    text: str
    revision: int


@dataclass(frozen=True, slots=True)
class SaveAnsweredBy:
    """Write who picked up the phone."""

    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class SaveTransfer:
    """Write where the carrier is to send the caller once the media stream has ended."""

    number: str


@dataclass(frozen=True, slots=True)
class SaveDisposition:
    """Write what the call came to, in one of the agent's words."""

    name: str
    notes: str


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
    | RunTool
    | Synthesize
    | CancelTurn
    | SendAudio
    | SendMark
    | ClearPlayback
    | SaveTurn
    | SaveProgress
    | TellPartial
    | SaveAnsweredBy
    | SaveTransfer
    | SaveDisposition
    | SaveUsage
    | ReportError
    | Finish
)
