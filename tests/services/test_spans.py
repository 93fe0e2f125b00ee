"""What a trace of a call is made of, computed from its log."""

from datetime import timedelta
from typing import Any

import pytest

from models.call import BargeIn, Call, CallStatus, FunctionCall, Turn, TurnTimings
from models.document import Id, new_id
from providers.tracing.spans import SpanData
from services.spans import spans_of, trace_id
from tests.documents import HEARD, NOW, a_call

ANSWERED = TurnTimings(
    speech_end_ms=5200,
    thinking_start_ms=5335,
    first_token_ms=5500,
    first_clause_ms=5590,
    voice_start_ms=5595,
    first_audio_ms=5700,
    playback_start_ms=5710,
    playback_end_ms=7900,
    barge_ins=(BargeIn(at_ms=6000, decision="duck", reason="speech"),),
)


def a_turn(index: int, **fields: Any) -> Turn:
    own = {"role": "user", "content": "my number is 9876543210", "timestamp": NOW + timedelta(seconds=9)}
    return Turn(index=index, **(own | fields))


def an_ended_call(**fields: Any) -> Call:
    own = {
        "started_at": NOW,
        "ended_at": NOW + timedelta(seconds=20),
        "status": CallStatus.COMPLETED,
        "end_reason": "hangup",
        "turns": [a_turn(0, timings=HEARD), a_turn(1, role="assistant", timings=ANSWERED)],
    }
    return a_call(new_id(), **(own | fields))


def named(spans: list[SpanData], name: str) -> SpanData:
    (found,) = [span for span in spans if span.name == name]
    return found


def moments(span: SpanData) -> tuple[int, int]:
    """Milliseconds since the call was answered."""
    return tuple((at - NOW) // timedelta(milliseconds=1) for at in (span.start, span.end))  # type: ignore[return-value]


def test_a_conversation_has_turns_and_those_have_what_they_were_made_of() -> None:
    spans = spans_of(an_ended_call())
    parents = {span.span_id: span.name for span in spans}
    assert [(span.name, parents.get(span.parent_id or b"")) for span in spans] == [
        ("conversation", None),
        ("caller turn", "conversation"),
        ("stt", "caller turn"),
        ("agent turn", "conversation"),
        ("chat gpt-4", "agent turn"),
        ("tts", "agent turn"),
        ("playback", "agent turn"),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conversation", (0, 20_000)),
        ("caller turn", (3100, 5560)),
        ("stt", (5296, 5330)),
        ("agent turn", (5335, 7900)),
        ("chat gpt-4", (5335, 5590)),
        ("tts", (5595, 5700)),
        ("playback", (5710, 7900)),
    ],
)
def test_each_lasts_as_long_as_the_log_says(name: str, expected: tuple[int, int]) -> None:
    assert moments(named(spans_of(an_ended_call()), name)) == expected


def test_attributes_follow_the_conventions() -> None:
    call = an_ended_call()
    spans = spans_of(call)
    assert named(spans, "conversation").attributes["gen_ai.conversation.id"] == call.id
    chat = named(spans, "chat gpt-4").attributes
    assert (chat["gen_ai.operation.name"], chat["gen_ai.request.model"]) == ("chat", "gpt-4")
    assert chat["gen_ai.response.time_to_first_chunk"] == 0.165
    assert named(spans, "agent turn").attributes["callboard.turn.latency_ms"] == 510
    (barge_in,) = named(spans, "agent turn").events
    assert (barge_in.name, barge_in.attributes["decision"]) == ("barge-in", "duck")


def test_neither_words_nor_phone_numbers_are_told() -> None:
    function = FunctionCall(id="1", name="look_up", arguments='{"phone": "9876543210"}', result="9123456789")
    call = an_ended_call(turns=[a_turn(0, timings=HEARD), a_turn(1, role="assistant", functions=(function,))])
    told = repr(spans_of(call))
    assert not [secret for secret in ("9876543210", "9123456789", "my number", call.session_id) if secret in told]


def test_whoever_closes_the_log_makes_the_same_trace() -> None:
    call = an_ended_call()
    again = Call.from_mongo(call.to_mongo())
    assert [(span.trace_id, span.span_id) for span in spans_of(call)] == [
        (span.trace_id, span.span_id) for span in spans_of(again)
    ]
    assert trace_id(call) != trace_id(call.model_copy(update={"id": Id("0" * 24)}))


def test_every_span_has_an_id_of_its_own() -> None:
    turns = [a_turn(n, role="assistant" if n % 2 else "user", timings=ANSWERED if n % 2 else HEARD) for n in range(9)]
    spans = spans_of(an_ended_call(turns=turns))
    assert len({span.span_id for span in spans}) == len(spans) == 1 + 5 * 2 + 4 * 4
    assert {(len(span.trace_id), len(span.span_id)) for span in spans} == {(16, 8)}


def test_a_turn_without_timings_is_where_it_was_written_and_has_no_parts() -> None:
    spans = spans_of(an_ended_call(turns=[a_turn(0, role="assistant")]))
    assert [span.name for span in spans] == ["conversation", "agent turn"]
    assert moments(spans[1]) == (9000, 9000)


def test_a_part_that_ends_before_it_begins_is_left_out() -> None:
    odd = ANSWERED.model_copy(update={"thinking_start_ms": 6000})
    spans = spans_of(an_ended_call(turns=[a_turn(0, role="assistant", timings=odd)]))
    assert [span.name for span in spans] == ["conversation", "agent turn", "tts", "playback"]


def test_a_call_nobody_answered_is_a_conversation_alone() -> None:
    call = an_ended_call(started_at=None, status=CallStatus.NO_ANSWER, turns=[])
    (span,) = spans_of(call)
    assert (span.start, span.end, span.has_failed) == (call.created_at, call.ended_at, False)


def test_a_failed_call_is_marked() -> None:
    assert spans_of(an_ended_call(status=CallStatus.FAILED))[0].has_failed
