"""A call and its log: status, turns with their timings, cost, recording."""

import math
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NewType

from pydantic import Field

from models.agent import AgentConfig
from models.conversation import AnsweredBy
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


BargeInDecision = Literal["duck", "hold", "cut", "restore"]


class BargeIn(Model):
    """What the agent's voice did about a caller who spoke into it: quieter, silent, ended, or back to full level."""

    at_ms: int
    """Since the call was answered."""
    decision: BargeInDecision
    reason: str
    """`speech`, `words`, `backchannel`, `noise`, `late` (no words in time), `keys`, `off` (interruptions are off)."""


class TurnTimings(Model):
    """Moments of one turn in milliseconds since the call was answered; None: did not happen in this turn.

    A caller's turn has the first four and what recognising it took; an agent's has `speech_end_ms` of the turn it
    answers, all that follows, and its barge-ins.
    """

    speech_start_ms: int | None = None
    speech_end_ms: int | None = None
    speculative_text_ms: int | None = None
    """The text that turned out to be the final one was known, before it was certain to be."""
    final_text_ms: int | None = None
    """The turn was over and its text known."""
    thinking_start_ms: int | None = None
    """The model was asked for what became the answer: before the final text, if it was a draft."""
    first_token_ms: int | None = None
    first_clause_ms: int | None = None
    """The model had written enough to begin speaking."""
    voice_start_ms: int | None = None
    """The voice was asked for the first clause: before the final text, if it was a draft's."""
    first_audio_ms: int | None = None
    """First byte from the voice."""
    playback_start_ms: int | None = None
    """First byte to the carrier."""
    playback_end_ms: int | None = None
    """The last of it that was heard."""
    stt_queue_ms: int | None = None
    stt_decode_ms: int | None = None
    gate_rejections: int = 0
    """Recognised sounds since the last turn that were no words."""
    barge_ins: tuple[BargeIn, ...] = ()


class FunctionCall(Model):
    """A function the agent called, and what it gave; None: nobody knows, the answer was lost or is not there yet."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""
    result: str | None = None


class Progress(Model):
    """The agent's turn under way, for whoever writes the log should its actor die over it.

    `text` was heard; `clause` began to sound at `clause_at` and lasts `clause_ms`.
    """

    text: str
    clause: str
    clause_at: Time
    clause_ms: int
    functions: tuple[FunctionCall, ...] = ()

    def heard(self, at: datetime) -> str:
        """What the caller can have heard of the turn by then, cut after a word."""
        share = (at - self.clause_at) / timedelta(milliseconds=max(1, self.clause_ms))
        words = self.clause.split()
        sounded = words[: math.ceil(len(words) * min(1.0, max(0.0, share)))]
        return " ".join(filter(None, [self.text.strip(), *sounded]))


class Turn(Model):
    """One side's finished utterance. Assistant text is what was heard, cut where the caller interrupted."""

    index: int
    role: Role
    content: str
    timestamp: Time
    interrupted: bool = False
    timings: TurnTimings = TurnTimings()
    revision: int = 0
    """Follows those of the partial texts that were told while the turn went on."""
    functions: tuple[FunctionCall, ...] = ()
    """Called in this turn of the agent, in order."""


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


class Versions(Model):
    """The exact versions a call was made with, by their own ids: the agent's, and those of what it names, if any."""

    agent_version_id: Id | None = None
    prompt_id: Id | None = None
    session_settings_id: Id | None = None
    sms_template_id: Id | None = None


class CampaignCall(Model):
    """Which attempt, counted from 1, of which contact in which campaign a call is."""

    campaign_id: Id
    contact_id: Id
    attempt: int


class Disposition(Model):
    """What a call came to in the customer's own words. `by`: the user who said so, None: the agent."""

    name: str
    notes: str = ""
    at: Time
    by: Id | None = None


class Call(Document):
    """The truth about one call. `agent_config` is the agent as it was when the call was made."""

    organization_id: Id
    user_id: Id
    session_id: SessionId
    agent_id: Id
    agent_name: str
    agent_config: AgentConfig
    versions: Versions | None = None
    """Where `agent_config` came from; None: the call is older than versions are."""
    phone_id: Id
    direction: Direction
    from_phone: str
    to_phone: str
    status: CallStatus = CallStatus.INITIATED
    carrier_call_id: str | None = None
    end_reason: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    campaign: CampaignCall | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    """What is known of the person who is called, by the names that prompts and messages use: `{customer_name}`."""
    disposition: Disposition | None = None
    rang_at: Time | None = None
    started_at: Time | None = None
    ended_at: Time | None = None
    answered_by: AnsweredBy | None = None
    """Who picked up an outbound call, as far as it could be heard."""
    transfer_to: str | None = None
    """Whom the carrier is to connect the caller to once the agent has left (E.164)."""
    duration_sec: int | None = None
    turns: list[Turn] = Field(default_factory=list)
    usage: Usage = Usage()
    cost: CostBreakdown = CostBreakdown()
    charged_micros: int | None = None
    """The total of `cost`, once the call is over: what figures add up."""
    recording: Recording | None = None
    progress: Progress | None = None
    pool: str | None = None
    """The pool that keeps an actor for the call while it rings, by its Ray name."""
    lease: Lease | None = None
    reconciled_at: Time | None = None
    """When the carrier was last asked what became of the call."""
    untold: bool = True
    """Something has happened to the call that webhooks may not have been told: set with the fact, in one write."""
    news: int = 1
    """How many such facts there were: who has told of so many may say that all is told."""
