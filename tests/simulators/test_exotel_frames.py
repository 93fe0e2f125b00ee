"""The carrier's frames are Exotel's, and the platform's are read as Exotel would."""

import base64
import json

import pytest

from simulators.exotel_frames import (
    Cleared,
    Frames,
    Garbled,
    Marked,
    Played,
    StreamIds,
    chunk_problem,
    parameters_of,
    parse,
    rate_of,
)


@pytest.fixture
def frames() -> Frames:
    ids = StreamIds("stream", "call", "account", "+919876543210", "+918047491899")
    return Frames(ids, rate_hz=8_000, parameters={"key1": "value1"})


def test_the_stream_opens_with_connected_and_a_numbered_start(frames: Frames) -> None:
    assert json.loads(frames.connected()) == {"event": "connected"}
    assert json.loads(frames.start()) == {
        "event": "start",
        "sequence_number": "1",
        "stream_sid": "stream",
        "start": {
            "stream_sid": "stream",
            "call_sid": "call",
            "account_sid": "account",
            "from": "+919876543210",
            "to": "+918047491899",
            "custom_parameters": {"key1": "value1"},
            "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
        },
    }


def test_media_is_numbered_and_timed_in_strings(frames: Frames) -> None:
    frames.start()
    frames.media(b"\x00\x00")
    assert json.loads(frames.media(b"\x01\x02")) == {
        "event": "media",
        "sequence_number": "3",
        "stream_sid": "stream",
        "media": {"chunk": "2", "timestamp": "200", "payload": base64.b64encode(b"\x01\x02").decode()},
    }


def test_marks_keys_and_the_end_have_exotels_shapes(frames: Frames) -> None:
    assert json.loads(frames.mark("turn-1"))["mark"] == {"name": "turn-1"}
    assert json.loads(frames.dtmf("5"))["dtmf"] == {"digit": "5", "duration": "100"}
    stop = json.loads(frames.stop("callended"))
    assert (stop["event"], stop["sequence_number"]) == ("stop", "3")
    assert stop["stop"] == {"call_sid": "call", "account_sid": "account", "reason": "callended"}


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ('{"event":"media","stream_sid":"s","media":{"payload":"AQI="}}', Played(b"\x01\x02")),
        ('{"event":"mark","stream_sid":"s","mark":{"name":"m"}}', Marked("m")),
        ('{"event":"clear","stream_sid":"s"}', Cleared()),
        ('{"event":"dance"}', Garbled("unknown event")),
        ("not json", Garbled("JSONDecodeError")),
        (b"\xc3(", Garbled("UnicodeDecodeError")),
        ("[]", Garbled("TypeError")),
        ('{"event":"media"}', Garbled("KeyError")),
        ('{"event":"media","media":{"payload":"*"}}', Garbled("Error")),
    ],
)
def test_the_platforms_messages_are_read(message: str | bytes, meaning: object) -> None:
    assert parse(message) == meaning


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        (3_200, None),
        (3_520, None),
        (1_600, "too small"),
        (3_300, "not a multiple of 320"),
        (100_160, "too large"),
    ],
)
def test_the_chunk_rule(size: int, problem: str | None) -> None:
    assert chunk_problem(size) == problem


def test_the_url_decides_rate_and_parameters() -> None:
    url = "wss://bot.example.com/audio/x?sample-rate=16000&a=1&b=2&c=3&d=4"
    assert rate_of(url) == 16_000
    assert parameters_of(url) == {"a": "1", "b": "2", "c": "3"}
    assert rate_of("wss://bot.example.com/?sample-rate=44100") == 8_000
    assert rate_of("wss://bot.example.com/") == 8_000
