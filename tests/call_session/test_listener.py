"""The carrier's messages on their way into the machine, with the real codec and a VAD of the test's own."""

import base64
import json
import logging
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.call_session.listener import Listener
from actors.call_session.protocol import Answered, Event, FrameHeard, HungUp, KeyPressed, PlaybackMark
from models.document import new_id
from models.sound import Floats
from providers import registry
from tests.documents import a_call


class Loudness:
    """Takes loud for speech."""

    def probability(self, window: Floats) -> float:
        assert window.shape == (512,)
        return float(abs(window).max() > 0.1)


def listener(tmp_path: Path, **fields: object) -> Listener:
    call = a_call(new_id(), created_at=datetime.now(UTC), **fields)
    return Listener(call, registry.media_codec("exotel", {}), Loudness(), tmp_path / "calls" / "one.wav")


def start(call_sid: str = "sid") -> str:
    return json.dumps({"event": "start", "stream_sid": "s", "start": {"stream_sid": "s", "call_sid": call_sid}})


def media(pcm: bytes) -> str:
    return json.dumps({"event": "media", "stream_sid": "s", "media": {"payload": base64.b64encode(pcm).decode()}})


def test_a_start_answers_the_call_and_audio_becomes_windows(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    assert ear.receive(start()) == [Answered(8000, 3200)]
    # 100 ms are three windows of 32 ms and 4 ms of the next.
    assert ear.receive(media(b"\0\0" * 800)) == [FrameHeard(0.0, 0.0, age_s) for age_s in (0.068, 0.036, 0.004)]
    assert ear.receive(json.dumps({"event": "mark", "stream_sid": "s", "mark": {"name": "1.2"}})) == [
        PlaybackMark("1.2")
    ]
    assert ear.receive(json.dumps({"event": "stop", "stop": {"reason": "callended"}})) == [HungUp("callended")]
    ear.close()


def test_the_recording_has_the_caller_left_and_the_agent_right_when_it_sounded(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    ear.receive(start())
    assert ear.recorder is not None
    ear.recorder.add_agent(b"\2\0" * 80, starts_in_s=0.01)
    ear.receive(media(b"\1\0" * 240))
    ear.close()
    with wave.open(str(tmp_path / "calls" / "one.wav")) as file:
        frames = file.readframes(file.getnframes())
    assert frames == b"\1\0\0\0" * 80 + b"\1\0\2\0" * 80 + b"\1\0\0\0" * 80


def test_agent_audio_that_was_cleared_is_not_in_the_recording(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    ear.receive(start())
    assert ear.recorder is not None
    ear.recorder.add_agent(b"\2\0" * 400, starts_in_s=0.0)
    ear.receive(media(b"\1\0" * 80))
    ear.recorder.clear_agent()
    ear.receive(media(b"\1\0" * 80))
    ear.close()
    with wave.open(str(tmp_path / "calls" / "one.wav")) as file:
        assert file.readframes(160) == b"\1\0\2\0" * 80 + b"\1\0\0\0" * 80


def test_a_stream_of_another_call_is_hung_up_on(tmp_path: Path) -> None:
    assert listener(tmp_path, carrier_call_id="mine").receive(start("theirs")) == [HungUp("wrong_call")]


def test_garbage_costs_one_line_and_a_count_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ear = listener(tmp_path)
    with caplog.at_level(logging.WARNING):
        for nonsense in ("", "{", b"\xff\x00", "[]", media(b"\0\0")):
            assert ear.receive(nonsense) == []
        ear.close()
    assert [record.message for record in caplog.records] == ["ignoring a media message", "ignored media messages"]


def test_nothing_is_heard_after_the_end(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    ear.receive(start())
    ear.close()
    assert ear.receive(media(b"\0\0" * 800)) == []


# --- repeated ---------------------------------------------------------------------------------------------------
LOUD, QUIET = b"\0\x40" * 800, b"\0\0" * 800
"""100 ms each."""


def key(digit: str) -> str:
    return json.dumps({"event": "dtmf", "stream_sid": "s", "dtmf": {"digit": digit}})


def repeated(ear: Listener, messages: list[str], settled_ago_s: float = float("inf")) -> list[Event]:
    heard = ear.repeated(messages, answered_ago_s=10.0, settled_ago_s=settled_ago_s)
    return [event for events in heard for event in events]


def test_repeated_sound_is_as_old_as_what_follows_it(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    events = repeated(ear, [start(), *([media(QUIET)] * 10)])
    ages = [event.age_s for event in events if isinstance(event, FrameHeard)]
    assert ages == sorted(ages, reverse=True)
    assert ages[0] == pytest.approx(1.0 - 0.032, abs=1e-3)
    assert ages[-1] < 0.032
    (live, *_) = ear.receive(media(QUIET))
    assert isinstance(live, FrameHeard)
    assert live.age_s < 0.1
    ear.close()


def test_what_the_log_has_an_answer_to_is_not_heard_again(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    messages = [start(), media(LOUD), media(LOUD), key("1"), *([media(QUIET)] * 6), key("2"), media(LOUD)]
    events = repeated(ear, messages, settled_ago_s=0.6)
    loud_ages = [event.age_s for event in events if isinstance(event, FrameHeard) and event.probability]
    assert loud_ages
    assert max(loud_ages) < 0.2
    assert [event for event in events if isinstance(event, KeyPressed)] == [KeyPressed("2")]
    ear.close()


def test_each_repeated_message_is_heard_when_its_turn_comes(tmp_path: Path) -> None:
    ear = listener(tmp_path)
    heard = ear.repeated([start(), media(LOUD), media(QUIET)], answered_ago_s=10.0, settled_ago_s=float("inf"))
    assert next(heard) == [Answered(8000, 3200)]
    next(heard)
    assert ear.utterances is not None
    ear.utterances.open(1)
    assert len(ear.utterances.get(1)) == 800
    assert len(list(heard)) == 1
    ear.close()


def test_a_recording_goes_on_where_the_other_actor_left_it(tmp_path: Path) -> None:
    first = listener(tmp_path)
    first.receive(start())
    for _ in range(99):
        first.receive(media(LOUD))
    first.close()
    again = listener(tmp_path)
    repeated(again, [start(), media(QUIET), media(LOUD), media(LOUD)])
    again.receive(media(QUIET))
    again.close()
    with wave.open(str(tmp_path / "calls" / "one.wav")) as file:
        assert file.getnframes() == 101 * 800
        file.setpos(97 * 800)
        assert [file.readframes(800)[1] for _ in range(4)] == [0x40, 0x40, 0x40, 0]
