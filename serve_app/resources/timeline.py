"""A call's timeline as the API shows it: where the milliseconds of each turn went."""

from typing import Any, Self

from pydantic import ConfigDict

from models.call import BargeIn, Role
from models.document import Model, Time
from services.timeline import SpanName, Timeline

CALLER: dict[str, Any] = {
    "index": 1,
    "role": "user",
    "text": "I would like to move my appointment.",
    "interrupted": False,
    "startMs": 3100,
    "endMs": 5200,
    "spans": [
        {"name": "endpointing", "startMs": 5200, "endMs": 5560},
        {"name": "recognition", "startMs": 5200, "endMs": 5330},
    ],
    "moments": {
        "speechStartMs": 3100,
        "speechEndMs": 5200,
        "speculativeTextMs": 5330,
        "finalTextMs": 5560,
        "thinkingStartMs": None,
        "firstTokenMs": None,
        "firstClauseMs": None,
        "voiceStartMs": None,
        "firstAudioMs": None,
        "playbackStartMs": None,
        "playbackEndMs": None,
    },
    "bargeIns": [],
    "gateRejections": 0,
    "latency": {
        "endpointMs": 360,
        "sttMs": 34,
        "sttQueueMs": 4,
        "sttDecodeMs": 30,
        "llmFirstTokenMs": None,
        "firstClauseMs": None,
        "ttsFirstByteMs": None,
        "toCarrierMs": None,
        "totalMs": None,
    },
}
AGENT: dict[str, Any] = {
    "index": 2,
    "role": "assistant",
    "text": "Of course. Which day would",
    "interrupted": True,
    "startMs": 5800,
    "endMs": 7400,
    "spans": [
        {"name": "endpointing", "startMs": 5200, "endMs": 5560},
        {"name": "recognition", "startMs": 5200, "endMs": 5330},
        {"name": "thinking", "startMs": 5332, "endMs": 5632},
        {"name": "firstClause", "startMs": 5632, "endMs": 5645},
        {"name": "voice", "startMs": 5646, "endMs": 5796},
        {"name": "toCarrier", "startMs": 5796, "endMs": 5800},
    ],
    "moments": {
        "speechStartMs": None,
        "speechEndMs": 5200,
        "speculativeTextMs": 5330,
        "finalTextMs": 5560,
        "thinkingStartMs": 5332,
        "firstTokenMs": 5632,
        "firstClauseMs": 5645,
        "voiceStartMs": 5646,
        "firstAudioMs": 5796,
        "playbackStartMs": 5800,
        "playbackEndMs": 7400,
    },
    "bargeIns": [
        {"atMs": 7000, "decision": "duck", "reason": "speech"},
        {"atMs": 7400, "decision": "cut", "reason": "words"},
    ],
    "gateRejections": 0,
    "latency": {
        "endpointMs": 360,
        "sttMs": 34,
        "sttQueueMs": 4,
        "sttDecodeMs": 30,
        "llmFirstTokenMs": 300,
        "firstClauseMs": 13,
        "ttsFirstByteMs": 150,
        "toCarrierMs": 4,
        "totalMs": 600,
    },
}
EXAMPLE: dict[str, Any] = {
    "callId": "64f8a1b2c3d4e5f6a7b8c9d3",
    "sessionId": "sess_abc123xyz",
    "answeredAt": "2024-01-15T10:30:05.000Z",
    "turns": [CALLER, AGENT],
    "summary": {
        "turns": 2,
        "latencyMs": {"p50": 600, "p95": 600, "max": 600},
        "bargeIns": {"duck": 1, "hold": 0, "cut": 1, "restore": 0},
        "gateRejections": 0,
    },
}


class SpanResource(Model):
    """One kind of work or waiting, in milliseconds since the call was answered; null: its start was not recorded.

    `endpointing`: from the end of speech until the turn was over and its text known. `recognition`: until that text was
    first known. `thinking`: from asking the model, which may be before the turn is over, to its first token.
    `firstClause`: until there was enough to speak. `voice`: from asking the voice to its first byte. `toCarrier`: from
    when it could be sent to the first byte sent.
    """

    name: SpanName
    start_ms: int | None
    end_ms: int


class MomentsResource(Model):
    """In milliseconds since the call was answered; null: did not happen in this turn, or was not recorded."""

    speech_start_ms: int | None
    speech_end_ms: int | None
    speculative_text_ms: int | None
    final_text_ms: int | None
    thinking_start_ms: int | None
    first_token_ms: int | None
    first_clause_ms: int | None
    voice_start_ms: int | None
    first_audio_ms: int | None
    playback_start_ms: int | None
    playback_end_ms: int | None


class LatencyResource(Model):
    """How long the parts of an answer took, in milliseconds; they overlap.

    `totalMs`: from the end of the caller's speech to the first byte sent to the carrier.
    """

    endpoint_ms: int | None
    stt_ms: int | None
    stt_queue_ms: int | None
    stt_decode_ms: int | None
    llm_first_token_ms: int | None
    first_clause_ms: int | None
    tts_first_byte_ms: int | None
    to_carrier_ms: int | None
    total_ms: int | None


class TimedTurnResource(Model):
    """One turn: when it sounded, and what went on in it. An agent's begins with the end of the speech it answers."""

    index: int
    role: Role
    text: str
    interrupted: bool
    start_ms: int | None
    end_ms: int | None
    spans: list[SpanResource]
    moments: MomentsResource
    barge_ins: list[BargeIn]
    gate_rejections: int
    latency: LatencyResource


class PercentilesResource(Model):
    """By nearest rank, of the answers whose `totalMs` is known; null without any."""

    p50: int | None
    p95: int | None
    max: int | None


class BargeInCounts(Model):
    """How often the agent's voice did what about a caller who spoke into it."""

    duck: int
    hold: int
    cut: int
    restore: int


class SummaryResource(Model):
    """What the turns come to. `gateRejections`: sounds that were recognised and held to be no words."""

    turns: int
    latency_ms: PercentilesResource
    barge_ins: BargeInCounts
    gate_rejections: int


class TimelineResource(Model):
    """A call as a waterfall, over or still going on."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    call_id: str
    session_id: str
    answered_at: Time | None
    turns: list[TimedTurnResource]
    summary: SummaryResource

    @classmethod
    def of(cls, timeline: Timeline) -> Self:
        """As the API shows it."""
        return cls.model_validate(timeline, from_attributes=True)


class TimelineData(Model):
    """`data` with the timeline of a call."""

    timeline: TimelineResource
