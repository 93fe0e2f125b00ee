"""Where the time of a call went: each turn as a waterfall of moments and spans, and what they come to. Pure.

Moments are whole milliseconds since the call was answered, latencies whole milliseconds; None: not recorded, or did not
happen. Spans overlap where work did: thinking about what may be the text begins before the caller's turn is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Literal, get_args

from models.call import BargeIn, BargeInDecision, Call, Role, SessionId, Turn, TurnTimings
from models.document import Id

SpanName = Literal["endpointing", "recognition", "thinking", "firstClause", "voice", "toCarrier"]

OF_THE_CALLER = ("speculative_text_ms", "final_text_ms", "stt_queue_ms", "stt_decode_ms")
"""What an answer shares with the turn it answers, and may lack: it is stored with either."""


@dataclass(frozen=True, slots=True)
class Span:
    """One kind of work or waiting of a turn. It has an end, for it happened; its start may not have been recorded."""

    name: SpanName
    start_ms: int | None
    end_ms: int

    @property
    def duration_ms(self) -> int | None:
        """None: unknown."""
        return None if self.start_ms is None else self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Latency:
    """How long each part of an answer took. The parts overlap, so they may add up to more than `total_ms`."""

    endpoint_ms: int | None
    """From the end of speech until the turn was over and its text known."""
    stt_ms: int | None
    """Waiting for a recogniser and decoding, of the text that stood."""
    stt_queue_ms: int | None
    stt_decode_ms: int | None
    llm_first_token_ms: int | None
    first_clause_ms: int | None
    """From the first token until there was enough to begin speaking."""
    tts_first_byte_ms: int | None
    to_carrier_ms: int | None
    """From when there was audio and the caller's turn was over."""
    total_ms: int | None
    """From the end of the caller's speech to the first byte sent to the carrier."""


@dataclass(frozen=True, slots=True)
class TimedTurn:
    """One turn. An agent's has the whole waterfall of its answer, from the end of the speech that it answers."""

    index: int
    role: Role
    text: str
    interrupted: bool
    start_ms: int | None
    end_ms: int | None
    spans: Sequence[Span]
    moments: TurnTimings
    barge_ins: Sequence[BargeIn]
    gate_rejections: int
    latency: Latency


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of the answers whose `total_ms` is known; all None without any."""

    p50: int | None
    p95: int | None
    max: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the turns come to; every barge-in decision has its count."""

    turns: int
    latency_ms: Percentiles
    barge_ins: dict[BargeInDecision, int]
    gate_rejections: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """A call until now."""

    call_id: Id
    session_id: SessionId
    answered_at: datetime | None
    turns: Sequence[TimedTurn]
    summary: Summary


def timeline(call: Call) -> Timeline:
    """Of a call that is over, or goes on; of one that was never answered it has no turns."""
    turns = [_timed(turn, timings) for turn, timings in zip(call.turns, _completed(call.turns), strict=True)]
    return Timeline(call.id, call.session_id, call.started_at, turns, _summary(turns))


def latency(timings: TurnTimings) -> Latency:
    """How long the parts of a turn took, as far as its moments say."""
    took = {span.name: span.duration_ms for span in spans(timings)}
    queue, decode = timings.stt_queue_ms, timings.stt_decode_ms
    return Latency(
        endpoint_ms=took.get("endpointing"),
        stt_ms=None if queue is None or decode is None else queue + decode,
        stt_queue_ms=queue,
        stt_decode_ms=decode,
        llm_first_token_ms=took.get("thinking"),
        first_clause_ms=took.get("firstClause"),
        tts_first_byte_ms=took.get("voice"),
        to_carrier_ms=took.get("toCarrier"),
        total_ms=_between(timings.speech_end_ms, timings.playback_start_ms),
    )


def spans(timings: TurnTimings) -> list[Span]:
    """The waterfall of one turn: what happened in it, in the order of an answer.

    A start behind its end belongs to something else, such as the words that bridged a wait, and counts as unknown.
    """
    known: tuple[tuple[SpanName, int | None, int | None], ...] = (
        ("endpointing", timings.speech_end_ms, timings.final_text_ms),
        ("recognition", timings.speech_end_ms, timings.speculative_text_ms),
        ("thinking", timings.thinking_start_ms, timings.first_token_ms),
        ("firstClause", timings.first_token_ms, timings.first_clause_ms),
        ("voice", timings.voice_start_ms, timings.first_audio_ms),
        ("toCarrier", _playable(timings), timings.playback_start_ms),
    )
    return [
        Span(name, None if _between(start, end) is None else start, end)
        for name, start, end in known
        if end is not None
    ]


def percentile(values: Iterable[int], percent: int) -> int | None:
    """The smallest value that at least `percent` of them do not exceed (nearest rank); None without values."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _completed(turns: Sequence[Turn]) -> list[TurnTimings]:
    """Each turn's moments; an answer gets those it shares with the turn that ended when it says that turn ended."""
    heard: dict[int, TurnTimings] = {}
    completed = []
    for turn in turns:
        own, ended = turn.timings, turn.timings.speech_end_ms
        if turn.role == "user" and ended is not None:
            heard[ended] = own
        elif ended is not None and ended in heard:
            missing = {name: getattr(heard[ended], name) for name in OF_THE_CALLER if getattr(own, name) is None}
            own = own.model_copy(update=missing)
        completed.append(own)
    return completed


def _timed(turn: Turn, timings: TurnTimings) -> TimedTurn:
    is_caller = turn.role == "user"
    return TimedTurn(
        index=turn.index,
        role=turn.role,
        text=turn.content,
        interrupted=turn.interrupted,
        start_ms=timings.speech_start_ms if is_caller else timings.playback_start_ms,
        end_ms=timings.speech_end_ms if is_caller else timings.playback_end_ms,
        spans=spans(timings),
        moments=timings,
        barge_ins=timings.barge_ins,
        gate_rejections=timings.gate_rejections,
        latency=latency(timings),
    )


def _summary(turns: Sequence[TimedTurn]) -> Summary:
    totals = [turn.latency.total_ms for turn in turns if turn.latency.total_ms is not None]
    decisions = [barge_in.decision for turn in turns for barge_in in turn.barge_ins]
    words: tuple[BargeInDecision, ...] = get_args(BargeInDecision)
    return Summary(
        turns=len(turns),
        latency_ms=Percentiles(percentile(totals, 50), percentile(totals, 95), max(totals, default=None)),
        barge_ins={word: decisions.count(word) for word in words},
        gate_rejections=sum(turn.gate_rejections for turn in turns),
    )


def _playable(timings: TurnTimings) -> int | None:
    """When nothing stood in the way of the first byte any more; without a turn to answer, when it was there."""
    if timings.first_audio_ms is None or timings.final_text_ms is None:
        return timings.first_audio_ms
    return max(timings.first_audio_ms, timings.final_text_ms)


def _between(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None or end < start else end - start
