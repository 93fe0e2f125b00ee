"""The carrier's messages on their way into the machine, with the real codec and a VAD of the test's own."""

import base64
import json
import logging
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.call_session.listener import Listener
from actors.call_session.protocol import Answered, FrameHeard, HungUp, PlaybackMark
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
