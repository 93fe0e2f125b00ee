"""Calls as the API shows them: just placed, in a list, in full."""

from typing import Annotated, Any, Self

from pydantic import Field

from models.call import Call, CallStatus, CampaignCall, CostBreakdown, Direction, Disposition, Role, Turn, Versions
from models.conversation import AnsweredBy
from models.document import Model, Time
from models.money import to_credits
from serve_app.envelope import Maybe

SPEAKERS: dict[Role, str] = {"user": "User", "assistant": "Agent"}


class PlacedCallResource(Model):
    """A call just placed."""

    id: Annotated[str, Field(alias="_id")]
    session_id: str
    from_phone: str
    to_phone: str
    agent_id: str
    direction: Direction
    status: CallStatus
    exotel_call_sid: Maybe[str] = None
    metadata: dict[str, Any]
    created_at: Time

    @classmethod
    def of(cls, call: Call) -> Self:
        """As the API shows it."""
        return cls(
            **_common(call),
            exotel_call_sid=call.carrier_call_id,
            metadata=call.metadata,
        )


class CostResource(Model):
    """What a call cost, in credits."""

    stt: float
    llm: float
    tts: float
    telephony: float
    total: float

    @classmethod
    def of(cls, cost: CostBreakdown) -> Self:
        """As the API shows it."""
        return cls(
            stt=to_credits(cost.stt),
            llm=to_credits(cost.llm),
            tts=to_credits(cost.tts),
            telephony=to_credits(cost.telephony),
            total=to_credits(cost.total),
        )


class DispositionResource(Model):
    """What a call came to; `by`: the user who said so, left out where its agent did."""

    name: str
    notes: str
    at: Time
    by: Maybe[str] = None

    @classmethod
    def of(cls, word: Disposition) -> Self:
        """As the API shows it."""
        return cls(name=word.name, notes=word.notes, at=word.at, by=word.by)


class ListedCall(Model):
    """A line of the call log."""

    id: Annotated[str, Field(alias="_id")]
    session_id: str
    from_phone: str
    to_phone: str
    agent_id: str
    agent_name: str
    direction: Direction
    status: CallStatus
    started_at: Maybe[Time] = None
    ended_at: Maybe[Time] = None
    duration_sec: Maybe[int] = None
    answered_by: Maybe[AnsweredBy] = None
    campaign: Maybe[CampaignCall] = None
    disposition: Maybe[DispositionResource] = None
    recording_url: Maybe[str] = None
    cost_breakdown: CostResource
    created_at: Time

    @classmethod
    def of(cls, call: Call, recording_url: str | None) -> Self:
        """As the API shows it."""
        return cls(**_logged(call), recording_url=recording_url)


class HistoryEntry(Model):
    """One turn."""

    role: Role
    content: str
    timestamp: Time


class CallDetail(ListedCall):
    """Everything about a call."""

    transcript: str
    conversation_history: list[HistoryEntry]
    metadata: dict[str, Any]
    variables: Maybe[dict[str, str]] = None
    end_reason: Maybe[str] = None
    versions: Maybe[Versions] = None
    """The exact versions the agent talked with."""

    @classmethod
    def of(cls, call: Call, recording_url: str | None) -> Self:
        """As the API shows it."""
        return cls(
            **_logged(call),
            recording_url=recording_url,
            transcript=transcript(call.turns),
            conversation_history=[
                HistoryEntry(role=turn.role, content=turn.content, timestamp=turn.timestamp) for turn in call.turns
            ],
            metadata=call.metadata,
            variables=call.variables or None,
            end_reason=call.end_reason,
            versions=call.versions,
        )


def transcript(turns: list[Turn]) -> str:
    """The conversation as text, a line a turn."""
    return "\n".join(f"{SPEAKERS[turn.role]}: {turn.content}" for turn in turns)


def _common(call: Call) -> dict[str, Any]:
    shared = ("id", "session_id", "from_phone", "to_phone", "agent_id", "direction", "status", "created_at")
    return {name: getattr(call, name) for name in shared}


def _logged(call: Call) -> dict[str, Any]:
    return {
        **_common(call),
        "agent_name": call.agent_name,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "duration_sec": call.duration_sec,
        "answered_by": call.answered_by,
        "campaign": call.campaign,
        "disposition": call.disposition and DispositionResource.of(call.disposition),
        "cost_breakdown": CostResource.of(call.cost),
    }
