"""A call's timeline out of stored turns."""

import pytest

from models.call import BargeIn, Call, CallStatus, Role, Turn, TurnTimings
from models.document import new_id
from services.timeline import Span, latency, percentile, spans, timeline
from tests.documents import HEARD, NOW, a_call

ANSWERED = TurnTimings(
    speech_end_ms=5200,
    speculative_text_ms=5330,
    final_text_ms=5560,
    thinking_start_ms=5332,
    first_token_ms=5500,
    first_clause_ms=5520,
    voice_start_ms=5521,
    first_audio_ms=5670,
    playback_start_ms=5680,
    playback_end_ms=7400,
)
OLD = TurnTimings(
    speech_end_ms=5200, final_text_ms=5760, first_token_ms=5700, first_audio_ms=5920, playback_start_ms=5921
)
"""A turn of the time when five moments were kept, and no voice was asked for before the final text."""


def a_turn(index: int, role: Role, timings: TurnTimings) -> Turn:
    return Turn(index=index, role=role, content=f"{role} {index}", timestamp=NOW, timings=timings)


def a_call_of(*turns: Turn) -> Call:
    return a_call(new_id(), status=CallStatus.COMPLETED, started_at=NOW, turns=list(turns))


def shown(timings: TurnTimings) -> dict[str, tuple[int | None, int]]:
    return {span.name: (span.start_ms, span.end_ms) for span in spans(timings)}


class TestSpans:
    def test_work_that_was_begun_before_the_end_of_the_turn_overlaps_it(self) -> None:
        assert shown(ANSWERED) == {
            "endpointing": (5200, 5560),
            "recognition": (5200, 5330),
            "thinking": (5332, 5500),
            "firstClause": (5500, 5520),
            "voice": (5521, 5670),
            "toCarrier": (5670, 5680),
        }

    def test_a_draft_of_a_breath_before_the_end_of_speech_is_shown_where_it_was(self) -> None:
        early = ANSWERED.model_copy(update={"thinking_start_ms": 4900, "first_token_ms": 5150})
        assert shown(early)["thinking"] == (4900, 5150)

    def test_a_text_that_was_not_known_before_the_end_has_no_recognition_of_its_own(self) -> None:
        assert "recognition" not in shown(ANSWERED.model_copy(update={"speculative_text_ms": None}))

    def test_audio_that_waits_for_the_end_of_the_turn_is_not_late_at_the_carrier(self) -> None:
        early = ANSWERED.model_copy(update={"first_audio_ms": 5400})
        assert shown(early)["toCarrier"] == (5560, 5680)

    def test_the_greeting_answers_nobody(self) -> None:
        greeting = TurnTimings(first_audio_ms=150, playback_start_ms=160, playback_end_ms=2900)
        assert shown(greeting) == {"voice": (None, 150), "toCarrier": (150, 160)}
        assert latency(greeting).total_ms is None

    def test_nothing_is_made_up_for_a_call_of_five_moments(self) -> None:
        assert shown(OLD) == {
            "endpointing": (5200, 5760),
            "thinking": (None, 5700),
            "voice": (None, 5920),
            "toCarrier": (5920, 5921),
        }

    def test_an_answer_behind_words_that_bridged_the_wait_did_not_come_first(self) -> None:
        bridged = ANSWERED.model_copy(update={"first_audio_ms": 8000})
        assert shown(bridged)["toCarrier"] == (None, 5680)

    def test_a_turn_without_moments_has_no_spans(self) -> None:
        assert spans(TurnTimings()) == []
        assert Span("voice", None, 5).duration_ms is None


class TestLatency:
    def test_each_part_and_the_whole_are_told(self) -> None:
        timings = ANSWERED.model_copy(update={"stt_queue_ms": 4, "stt_decode_ms": 30})
        figures = latency(timings)
        assert (figures.endpoint_ms, figures.stt_ms, figures.stt_queue_ms, figures.stt_decode_ms) == (360, 34, 4, 30)
        assert (figures.llm_first_token_ms, figures.first_clause_ms, figures.tts_first_byte_ms) == (168, 20, 149)
        assert (figures.to_carrier_ms, figures.total_ms) == (10, 480)

    def test_half_of_what_recognition_took_is_not_the_whole(self) -> None:
        assert latency(TurnTimings(stt_decode_ms=30)).stt_ms is None

    def test_an_answer_that_sounded_before_the_speech_it_answers_ended_has_no_latency(self) -> None:
        assert latency(TurnTimings(speech_end_ms=900, playback_start_ms=800)).total_ms is None


class TestTimeline:
    def test_a_call_is_told_turn_by_turn(self) -> None:
        call = a_call_of(a_turn(0, "user", HEARD), a_turn(1, "assistant", ANSWERED))
        told = timeline(call)
        assert (told.call_id, told.session_id, told.answered_at) == (call.id, call.session_id, NOW)
        caller, agent = told.turns
        assert (caller.index, caller.role, caller.text) == (0, "user", "user 0")
        assert (caller.start_ms, caller.end_ms) == (3100, 5200)
        assert [span.name for span in caller.spans] == ["endpointing", "recognition"]
        assert (agent.start_ms, agent.end_ms, agent.interrupted) == (5680, 7400, False)

    def test_an_answer_is_completed_from_the_turn_it_answers(self) -> None:
        bare = ANSWERED.model_copy(update={"speculative_text_ms": None, "final_text_ms": None})
        answer = timeline(a_call_of(a_turn(0, "user", HEARD), a_turn(1, "assistant", bare))).turns[1]
        assert (answer.latency.endpoint_ms, answer.latency.stt_ms, answer.latency.total_ms) == (360, 34, 480)
        assert answer.moments.speculative_text_ms == 5330

    def test_an_answer_to_another_turn_is_not(self) -> None:
        other = TurnTimings(speech_end_ms=9000, first_token_ms=9500, playback_start_ms=9600)
        answer = timeline(a_call_of(a_turn(0, "user", HEARD), a_turn(1, "assistant", other))).turns[1]
        assert (answer.latency.endpoint_ms, answer.latency.stt_ms, answer.latency.total_ms) == (None, None, 600)

    def test_a_call_that_was_not_answered_has_nothing_to_tell(self) -> None:
        told = timeline(a_call(new_id()))
        assert (told.answered_at, told.turns, told.summary.turns) == (None, [], 0)
        latencies = told.summary.latency_ms
        assert (latencies.p50, latencies.p95, latencies.max) == (None, None, None)

    def test_the_summary_counts_answers_barge_ins_and_rejections(self) -> None:
        barge_ins = (
            BargeIn(at_ms=6000, decision="duck", reason="speech"),
            BargeIn(at_ms=6400, decision="restore", reason="noise"),
            BargeIn(at_ms=7000, decision="duck", reason="speech"),
            BargeIn(at_ms=7400, decision="cut", reason="words"),
        )
        turns = (
            a_turn(0, "user", HEARD.model_copy(update={"gate_rejections": 2})),
            a_turn(1, "assistant", ANSWERED.model_copy(update={"barge_ins": barge_ins, "gate_rejections": 1})),
            a_turn(2, "assistant", OLD),
            a_turn(3, "assistant", TurnTimings(first_audio_ms=1)),
        )
        summary = timeline(a_call_of(*turns)).summary
        assert summary.barge_ins == {"duck": 2, "hold": 0, "cut": 1, "restore": 1}
        assert (summary.turns, summary.gate_rejections) == (4, 3)
        assert (summary.latency_ms.p50, summary.latency_ms.p95, summary.latency_ms.max) == (480, 721, 721)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7], 50, 7),
        ([7], 95, 7),
        ([2, 1], 50, 1),
        ([3, 1, 2], 50, 2),
        (range(1, 21), 95, 19),
        (range(1, 101), 95, 95),
        (range(1, 101), 100, 100),
    ],
)
def test_percentiles_are_values_that_occurred(values: list[int], percent: int, expected: int | None) -> None:
    assert percentile(values, percent) == expected
