"""What can happen to a call: events go into `machine.handle(event, now)`.

Every answer to something slow carries the turn or the utterance it belongs to. PCM is 16-bit little-endian mono at the
carrier's rate.
"""

from dataclasses import dataclass

from providers.roles import ToolCall


@dataclass(frozen=True, slots=True)
class Answered:
    """The carrier's media stream is up; audio flows at `rate_hz` in messages of `chunk_bytes`."""

    rate_hz: int
    chunk_bytes: int


@dataclass(frozen=True, slots=True)
class FrameHeard:
    """One 32 ms window of caller audio and the VAD's probability that it is speech.

    `hush_s` is how long the line has been quiet at the end of all that has arrived, to 10 ms, by its level alone: it
    knows of a pause before the VAD does, but not whether it was a word that ended. `age_s`: the carrier's packet goes
    on for so long after this window.
    """

    probability: float
    hush_s: float = 0.0
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """A beep, such as an answering machine's, has just ended."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key: 0-9, *, # or A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The answer to a `Transcribe`; empty text: nothing worth calling words, and `rejected` says why."""

    utterance: int
    revision: int
    text: str
    rejected: str | None = None
    queue_ms: float = 0.0
    decode_ms: float = 0.0
    backlog_ms: float = 0.0


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
class ToolsAsked:
    """The reply wants these functions called; comes before its `ReplyDone`."""

    turn: int
    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What a function gave back, as text for the model; a failure is told in words too."""

    turn: int
    call_id: str
    content: str


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
class LogStuck:
    """The log cannot be written and is as far behind as it may be: say so and end."""


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
    | ToneHeard
    | KeyPressed
    | Transcribed
    | TranscribeFailed
    | ReplyPiece
    | ToolsAsked
    | ToolAnswered
    | ReplyDone
    | ReplyFailed
    | SpeechPiece
    | SpeechDone
    | VoiceFailed
    | PlaybackMark
    | CreditsExhausted
    | LogStuck
    | EndRequested
    | HungUp
    | Tick
)
