"""Payloads of events, field by field."""

from models.call import BargeIn, SessionId, Turn, TurnTimings
from services import call_events
from services.timeline import latency
from tests.documents import NOW, a_turn

SESSION = SessionId("sess_abc123xyz")
AT = "2026-01-15T10:30:00.000Z"


def test_a_finished_turn_is_final_and_has_the_highest_revision() -> None:
    turn = a_turn(0, "Hello there").model_copy(update={"revision": 4})
    assert call_events.transcript(SESSION, turn) == {
        "sessionId": SESSION,
        "role": "user",
        "text": "Hello there",
        "timestamp": AT,
        "isFinal": True,
        "revision": 4,
    }


def test_a_partial_text_has_the_same_fields_and_is_not_final() -> None:
    told = call_events.partial(SESSION, "Hello", 2, NOW)
    assert told.keys() == call_events.transcript(SESSION, a_turn(0)).keys()
    assert (told["role"], told["text"], told["timestamp"]) == ("user", "Hello", AT)
    assert (told["isFinal"], told["revision"]) == (False, 2)


def test_metrics_tell_every_moment_and_what_follows_from_them() -> None:
    timings = TurnTimings(
        speech_end_ms=5200,
        final_text_ms=5560,
        thinking_start_ms=5560,
        first_token_ms=5860,
        playback_start_ms=6100,
        barge_ins=(BargeIn(at_ms=7000, decision="duck", reason="speech"),),
    )
    turn = Turn(index=3, role="assistant", content="Of course.", timestamp=NOW, timings=timings)
    told = call_events.metrics(SESSION, turn, latency(timings))
    assert told.keys() == {"sessionId", "turn", "timings", "latency", "timestamp"}
    assert (told["sessionId"], told["turn"], told["timestamp"]) == (SESSION, 3, AT)
    assert told["timings"] == {
        "speechStartMs": None,
        "speechEndMs": 5200,
        "speculativeTextMs": None,
        "finalTextMs": 5560,
        "thinkingStartMs": 5560,
        "firstTokenMs": 5860,
        "firstClauseMs": None,
        "voiceStartMs": None,
        "firstAudioMs": None,
        "playbackStartMs": 6100,
        "playbackEndMs": None,
        "sttQueueMs": None,
        "sttDecodeMs": None,
        "gateRejections": 0,
        "bargeIns": [{"atMs": 7000, "decision": "duck", "reason": "speech"}],
    }
    assert told["latency"] == {
        "userStopToFirstByteMs": 900,
        "endpointMs": 360,
        "sttMs": None,
        "sttQueueMs": None,
        "sttDecodeMs": None,
        "llmFirstTokenMs": 300,
        "firstClauseMs": None,
        "ttsFirstByteMs": None,
        "toCarrierMs": None,
    }
