"""A call and its log: status, turns with their timings, cost, recording."""

from enum import StrEnum
from typing import Any, Literal, NewType

from pydantic import Field

from models.agent import AgentConfig
from models.document import Document, Id, Model, Time

SessionId = NewType("SessionId", str)
"""`sess_` and 22 url-safe characters; names a call in every public address and event."""

Direction = Literal["inbound", "outbound"]
Role = Literal["user", "assistant"]


class CallStatus(StrEnum):
    """The documented words. A status only ever moves to a higher `rank`, and the last one is final."""

    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def rank(self) -> int:
        """0 initiated, 1 ringing, 2 in progress, 3 ended."""
        return {"initiated": 0, "ringing": 1, "in-progress": 2}.get(self.value, 3)

    @property
    def is_final(self) -> bool:
        """No status follows this one."""
        return self.rank == 3


class TurnTimings(Model):
    """Moments of one turn in milliseconds since the call was answered; None: did not happen in this turn."""

    speech_end_ms: int | None = None
    final_text_ms: int | None = None
    first_token_ms: int | None = None
    first_audio_ms: int | None = None
    playback_start_ms: int | None = None


class Turn(Model):
    """One side's finished utterance. Assistant text is what was heard, cut where the caller interrupted."""

    index: int
    role: Role
    content: str
    timestamp: Time
    interrupted: bool = False
    timings: TurnTimings = TurnTimings()


class Usage(Model):
    """What a call has consumed so far."""

    stt_ms: int = 0
    llm_tokens: int = 0
    tts_chars: int = 0
    telephony_ms: int = 0


class CostBreakdown(Model):
    """Micro-credits per kind; the API prints credits."""

    stt: int = 0
    llm: int = 0
    tts: int = 0
    telephony: int = 0

    @property
    def total(self) -> int:
        """The sum of the four."""
        return self.stt + self.llm + self.tts + self.telephony


class Recording(Model):
    """Where the call's audio is: `path` under the data directory (stereo WAV, caller left) or the carrier's URL."""

    path: str | None = None
    url: str | None = None


class Lease(Model):
    """The call actor that carries the call, by its Ray name."""

    actor: str
    leased_at: Time


class Call(Document):
    """The truth about one call. `agent_config` is the agent as it was when the call was made."""

    organization_id: Id
    user_id: Id
    session_id: SessionId
    agent_id: Id
    agent_name: str
    agent_config: AgentConfig
    phone_id: Id
    direction: Direction
    from_phone: str
    to_phone: str
    status: CallStatus = CallStatus.INITIATED
    carrier_call_id: str | None = None
    end_reason: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    started_at: Time | None = None
    ended_at: Time | None = None
    duration_sec: int | None = None
    turns: list[Turn] = Field(default_factory=list)
    usage: Usage = Usage()
    cost: CostBreakdown = CostBreakdown()
    charged_micros: int | None = None
    """The total of `cost`, once the call is over: what figures add up."""
    recording: Recording | None = None
    lease: Lease | None = None
    reconciled_at: Time | None = None
    """When the carrier was last asked what became of the call."""
