"""A call that is over as the spans of one trace: conversation, its turns, and what each turn was made of. Pure.

Everything is computed from the stored log, and the ids from the call's id, so whoever closes the log (an actor that
took the call up, the sweeper) makes the same trace. Keys follow OpenTelemetry's conventions for generative AI where
they have one and begin with `callboard.` elsewhere. Neither words nor phone numbers are in it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from models.agent import AgentConfig
from models.call import Call, CallStatus, Turn, TurnTimings
from providers.tracing.spans import SpanData, SpanEvent, Value

LLM_PROVIDER = "openai"

Moments = tuple[int | None, int | None]


def spans_of(call: Call) -> list[SpanData]:
    """The conversation first. Of a call nobody answered it is all there is."""
    origin = call.started_at
    turns = [] if origin is None else [span for turn in call.turns for span in _turn(call, turn, origin)]
    start = origin or call.created_at
    end = max([call.ended_at or start, *(span.end for span in turns)])
    return [_conversation(call, start, end), *turns]


def trace_id(call: Call) -> bytes:
    """The trace of a call: 16 bytes, the same for everybody who knows its id."""
    return blake2b(call.id.encode(), digest_size=16).digest()


def _conversation(call: Call, start: datetime, end: datetime) -> SpanData:
    return SpanData(
        trace_id=trace_id(call),
        span_id=_span_id(call, "conversation"),
        parent_id=None,
        name="conversation",
        start=start,
        end=max(start, end),
        kind="server",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.conversation.id": call.id,
            "gen_ai.agent.id": call.agent_id,
            "gen_ai.agent.name": call.agent_name,
            "callboard.organization.id": call.organization_id,
            "callboard.call.direction": call.direction,
            "callboard.call.status": call.status.value,
            "callboard.call.end_reason": call.end_reason or "",
            "callboard.call.turns": len(call.turns),
        },
        has_failed=call.status is CallStatus.FAILED,
    )


def _turn(call: Call, turn: Turn, origin: datetime) -> list[SpanData]:
    """The turn, then its parts; a part whose start or end is not known, or that ends before it starts, is left out."""
    timings = turn.timings
    parent = _Parent(call, _span_id(call, str(turn.index)), origin)
    parts = _heard(parent, turn) if turn.role == "user" else _answered(parent, turn, call.agent_config)
    start, end = _extent(timings, turn.role == "user")
    at = turn.timestamp
    return [
        SpanData(
            trace_id=trace_id(call),
            span_id=parent.span_id,
            parent_id=_span_id(call, "conversation"),
            name="caller turn" if turn.role == "user" else "agent turn",
            start=at if start is None else parent.at(start),
            end=at if end is None else parent.at(end),
            attributes=_of_turn(turn),
            events=tuple(
                SpanEvent("barge-in", parent.at(each.at_ms), {"decision": each.decision, "reason": each.reason})
                for each in timings.barge_ins
            ),
        ),
        *parts,
    ]


def _of_turn(turn: Turn) -> dict[str, Value]:
    timings = turn.timings
    attributes: dict[str, Value] = {
        "callboard.turn.index": turn.index,
        "callboard.turn.interrupted": turn.interrupted,
        "callboard.turn.functions": len(turn.functions),
    }
    if timings.speech_end_ms is not None and timings.playback_start_ms is not None:
        attributes["callboard.turn.latency_ms"] = timings.playback_start_ms - timings.speech_end_ms
    return attributes


def _heard(parent: "_Parent", turn: Turn) -> list[SpanData]:
    """What recognising the caller's words took: it was over when the text that stood was known."""
    timings = turn.timings
    known = timings.final_text_ms if timings.speculative_text_ms is None else timings.speculative_text_ms
    queue, decode = timings.stt_queue_ms, timings.stt_decode_ms
    if known is None or queue is None or decode is None:
        return []
    took: dict[str, Value] = {"callboard.stt.queue_ms": queue, "callboard.stt.decode_ms": decode}
    return parent.part("stt", (known - queue - decode, known), took)


def _answered(parent: "_Parent", turn: Turn, config: AgentConfig) -> list[SpanData]:
    """The model until it had written enough to speak, the voice until its first byte, what the caller heard."""
    timings, voice = turn.timings, config.voice
    asked, first = timings.thinking_start_ms, timings.first_token_ms
    chat: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": LLM_PROVIDER,
        "gen_ai.request.model": config.llm.model,
        "gen_ai.request.temperature": config.llm.temperature,
        "gen_ai.request.stream": True,
    }
    if asked is not None and first is not None and first >= asked:
        chat["gen_ai.response.time_to_first_chunk"] = (first - asked) / 1000
    speech: dict[str, Value] = {"gen_ai.provider.name": voice.provider, "gen_ai.output.type": "speech"}
    if voice.model is not None:
        speech["gen_ai.request.model"] = voice.model
    enough = first if timings.first_clause_ms is None else timings.first_clause_ms
    return [
        *parent.part(f"chat {config.llm.model}", (asked, enough), chat),
        *parent.part("tts", (timings.voice_start_ms, timings.first_audio_ms), speech),
        *parent.part("playback", (timings.playback_start_ms, timings.playback_end_ms), {}, is_ours=True),
    ]


def _extent(timings: TurnTimings, is_caller: bool) -> Moments:
    """From the first to the last moment of the turn itself; an answer's first moments may be in the caller's turn."""
    heard = (timings.speech_start_ms, timings.speech_end_ms, timings.speculative_text_ms, timings.final_text_ms)
    answered = (
        timings.thinking_start_ms,
        timings.first_token_ms,
        timings.first_clause_ms,
        timings.voice_start_ms,
        timings.first_audio_ms,
        timings.playback_start_ms,
        timings.playback_end_ms,
    )
    known = _known(heard if is_caller else answered)
    return min(known, default=None), max(known, default=None)


def _known(moments: Iterable[int | None]) -> list[int]:
    return [moment for moment in moments if moment is not None]


class _Parent:
    """A turn's span, of which parts are made."""

    def __init__(self, call: Call, span_id: bytes, origin: datetime) -> None:
        self._call = call
        self._origin = origin
        self.span_id = span_id

    def at(self, ms: int) -> datetime:
        """A moment of the call."""
        return self._origin + timedelta(milliseconds=ms)

    def part(
        self, name: str, moments: Moments, attributes: dict[str, Value], *, is_ours: bool = False
    ) -> list[SpanData]:
        """One span or none."""
        start, end = moments
        if start is None or end is None or end < start:
            return []
        return [
            SpanData(
                trace_id=trace_id(self._call),
                span_id=_span_id(self._call, f"{self.span_id.hex()}:{name}"),
                parent_id=self.span_id,
                name=name,
                start=self.at(start),
                end=self.at(end),
                kind="internal" if is_ours else "client",
                attributes=attributes,
            )
        ]


def _span_id(call: Call, part: str) -> bytes:
    return blake2b(f"{call.id}/{part}".encode(), digest_size=8).digest()
