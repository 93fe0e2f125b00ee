from datetime import timedelta

from models.call import CallStatus, Turn
from models.document import new_id
from serve_app.replay import identity, past
from services import call_events
from tests.documents import NOW, a_call, a_turn


def test_a_call_that_was_just_made_has_only_started() -> None:
    call = a_call(new_id())
    assert past(call) == [
        (
            "call:started",
            {"sessionId": call.session_id, "status": "initiated", "timestamp": "2026-01-15T10:30:00.000Z"},
        )
    ]


def test_a_finished_call_is_told_from_its_start_to_its_end_in_order() -> None:
    turns = [a_turn(0, "Hello"), a_turn(1, "Goodbye")]
    later = NOW + timedelta(seconds=5)
    call = a_call(new_id(), status=CallStatus.COMPLETED, started_at=later, ended_at=later, duration_sec=0, turns=turns)
    names = ["call:started", "call:connected", "call:transcript", "call:transcript", "call:ended"]
    assert [event for event, _ in past(call)] == names
    assert past(call)[1][1]["status"] == "in-progress"
    assert past(call)[-1][1]["status"] == "completed"


def test_a_call_that_was_never_answered_was_never_connected() -> None:
    call = a_call(new_id(), status=CallStatus.NO_ANSWER, ended_at=NOW)
    assert [event for event, _ in past(call)] == ["call:started", "call:ended"]


def test_an_event_told_again_is_the_one_that_was_told_live() -> None:
    turn = a_turn(3, "Hello").model_copy(update={"revision": 7})
    call = a_call(new_id(), status=CallStatus.IN_PROGRESS, started_at=NOW, turns=[turn])
    live = [
        ("call:connected", call_events.status_changed(call, NOW)),
        ("call:transcript", call_events.transcript(call.session_id, turn)),
    ]
    assert past(call)[1:] == live


def test_the_same_words_said_again_are_another_line() -> None:
    first, second = a_turn(0, "Yes"), Turn(index=1, role="user", content="Yes", timestamp=NOW + timedelta(seconds=2))
    told = [call_events.transcript(a_call(new_id()).session_id, turn) for turn in (first, second)]
    assert identity("call:transcript", told[0]) != identity("call:transcript", told[1])


def test_faults_and_metrics_have_no_identity_and_may_repeat() -> None:
    assert identity("call:error", call_events.error("s", "STT_ERROR", "again")) is None
    assert identity("call:metrics", {}) is None
