"""Exotel's media messages: recorded both ways, and whatever else may come out of a socket."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from providers.roles import (
    DtmfPressed,
    MarkPlayed,
    MediaAudio,
    MediaGarbage,
    MediaMessage,
    MediaStarted,
    MediaStopped,
)
from providers.telephony.exotel.media import MAX_MESSAGE, ExotelMedia

DATA = Path(__file__).parent / "data" / "exotel"
START = json.dumps({"event": "start", "start": {"stream_sid": "MZ01", "call_sid": "c1"}})


def replay(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def summary(message: MediaMessage | None) -> list[object] | None:
    match message:
        case None:
            return None
        case MediaStarted(stream_id, call_id, rate_hz):
            return ["MediaStarted", stream_id, call_id, rate_hz]
        case MediaAudio(pcm):
            return ["MediaAudio", pcm.hex()]
        case DtmfPressed(word) | MarkPlayed(word) | MediaStopped(word) | MediaGarbage(word):
            return [type(message).__name__, word]


def test_a_recorded_call_is_understood_message_by_message() -> None:
    codec = ExotelMedia({"sample-rate": "24000"})
    for step in replay("inbound.jsonl"):
        assert summary(codec.decode(json.dumps(step["message"]))) == step["means"]


def test_what_we_say_is_what_exotel_documents() -> None:
    codec = ExotelMedia({})
    codec.decode(START)
    for step in replay("outbound.jsonl"):
        sent = said(codec, *step["say"])
        if "media" in sent:
            sent["media"]["payload_bytes"] = len(base64.b64decode(sent["media"].pop("payload"), validate=True))
        assert sent == step["message"]


def said(codec: ExotelMedia, what: str, value: Any = None) -> dict[str, Any]:
    texts = {
        "audio": lambda: codec.encode_audio(bytes(value)),
        "mark": lambda: codec.encode_mark(value),
        "clear": codec.encode_clear,
    }
    sent: dict[str, Any] = json.loads(texts[what]())
    return sent


def test_our_audio_decodes_to_the_same_bytes() -> None:
    codec = ExotelMedia({})
    assert codec.decode(codec.encode_audio(bytes(range(200)))) == MediaAudio(bytes(range(200)))


@pytest.mark.parametrize(
    ("query", "start", "rate_hz"),
    [
        ({}, {}, 8_000),
        ({"sample-rate": "16000"}, {}, 16_000),
        ({"sample-rate": "11025"}, {}, 8_000),
        ({"sample-rate": "16000"}, {"media_format": {"sample_rate": 8000}}, 8_000),
        ({"sample-rate": "16000"}, {"media_format": {"sample_rate": "broken"}}, 16_000),
        ({"sample-rate": "16000"}, {"media_format": "raw"}, 16_000),
    ],
)
def test_the_rate_is_what_start_says_then_what_the_url_says_then_8000(
    query: dict[str, str], start: dict[str, Any], rate_hz: int
) -> None:
    decoded = ExotelMedia(query).decode(json.dumps({"event": "start", "start": start}))
    assert decoded == MediaStarted(stream_id="", carrier_call_id="", rate_hz=rate_hz)


@pytest.mark.parametrize(("rate_hz", "size"), [(8_000, 3_200), (16_000, 3_200), (24_000, 4_800), (22_050, 4_480)])
def test_chunks_are_100_ms_but_never_below_exotels_minimum_and_always_a_multiple_of_320(
    rate_hz: int, size: int
) -> None:
    assert ExotelMedia({}).chunk_bytes(rate_hz) == size
    assert size % 320 == 0


@pytest.mark.parametrize(
    "message",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"event":"media"}',
        '{"event":"media","media":[]}',
        '{"event":"media","media":{"payload":5}}',
        '{"event":"media","media":{"payload":"not base64"}}',
        '{"event":"media","media":{"payload":"AAA"}}',
        '{"event":"media","media":{"payload":"é"}}',
        '{"event":"dtmf","dtmf":{"digit":"x"}}',
        '{"event":"dtmf","dtmf":{"digit":true}}',
        '{"event":"mark","mark":{"name":null}}',
        '{"event":["media"]}',
        '{"event":"transfer"}',
        "[" * 100_000,
        "9" * 5_000,
        b"\xff\xfe\x00",
        b"\x00" * 100,
        "x" * (MAX_MESSAGE + 1),
    ],
    ids=lambda message: repr(message[:24]),
)
def test_garbage_is_named_as_such(message: str | bytes) -> None:
    assert isinstance(ExotelMedia({}).decode(message), MediaGarbage)


KEYS = st.sampled_from(
    "event start media dtmf mark stop payload name digit reason stream_sid callSid media_format sample_rate".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "clear", None, 3])


@given(st.binary() | st.text())
def test_any_bytes_at_all_are_decoded_without_an_exception(message: str | bytes) -> None:
    codec = ExotelMedia({})
    codec.decode(message)
    assert codec.decode(START) == MediaStarted("MZ01", "c1", 8_000)


@given(st.dictionaries(KEYS, JSON, max_size=6), EVENTS)
def test_any_json_at_all_is_decoded_without_an_exception(body: dict[str, Any], event: object) -> None:
    decoded = ExotelMedia({}).decode(json.dumps({**body, "event": event}))
    if isinstance(decoded, MediaAudio):
        assert len(decoded.pcm) % 2 == 0
    if isinstance(decoded, MediaStarted):
        assert decoded.rate_hz in (8_000, 16_000, 24_000)
