"""Exotel's media WebSocket: JSON text messages, audio as base64 of 16-bit little-endian mono PCM. Pure.

Numbers come as strings or as integers, names in snake or camel case, fields go missing: all of it is in the field.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from providers.roles import (
    DtmfPressed,
    MarkPlayed,
    MediaAudio,
    MediaGarbage,
    MediaMessage,
    MediaStarted,
    MediaStopped,
)

MAX_MESSAGE = 1 << 20
"""Characters (or bytes) of one message; Exotel's own limit is 100,000 bytes of audio."""

_DEFAULT_RATE_HZ = 8_000
_RATES = {"8000": 8_000, "16000": 16_000, "24000": 24_000}
_DIGITS = frozenset("0123456789*#ABCD")
_CHUNK_MULTIPLE = 320
_MIN_CHUNK = 3_200


class ExotelMedia:
    """Satisfies `roles.MediaCodec`. `query` is the query of the WebSocket URL, which may name a `sample-rate`."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._rate_hz = _RATES.get(query.get("sample-rate", ""), _DEFAULT_RATE_HZ)
        self._stream_id = ""
        self._messages = 0
        self._chunks = 0
        self._sent_bytes = 0

    def decode(self, message: str | bytes) -> MediaMessage | None:
        """What Exotel said; None for `connected` and empty audio. Never raises."""
        if len(message) > MAX_MESSAGE:
            return MediaGarbage("too long")
        try:
            body = json.loads(message)
        except (ValueError, RecursionError):
            return MediaGarbage("not JSON")
        if not isinstance(body, dict):
            return MediaGarbage("not an object")
        match body.get("event"):
            case "connected":
                return None
            case "start":
                return self._started(body, _mapping(body, "start"))
            case "media":
                return _audio(_mapping(body, "media"))
            case "dtmf":
                return _dtmf(_mapping(body, "dtmf"))
            case "mark":
                name = _mapping(body, "mark").get("name")
                return MarkPlayed(name) if isinstance(name, str) else MediaGarbage("mark without a name")
            case "stop":
                return MediaStopped(_text(_mapping(body, "stop"), "reason") or "stopped")
            case _:
                return MediaGarbage("unknown event")

    def encode_audio(self, pcm: bytes) -> str:
        """A `media` message. `chunk`, `timestamp` (ms of sound sent before) and `sequence_number` are documented as
        optional; some Connect streams end early without them.
        """
        self._chunks += 1
        sent_ms = self._sent_bytes * 1000 // (2 * self._rate_hz)
        self._sent_bytes += len(pcm)
        payload = base64.b64encode(pcm).decode("ascii")
        return self._message("media", media={"chunk": str(self._chunks), "timestamp": str(sent_ms), "payload": payload})

    def encode_mark(self, name: str) -> str:
        """A `mark` message; Exotel echoes it when everything before it has been played."""
        return self._message("mark", mark={"name": name})

    def encode_clear(self) -> str:
        """A `clear` message."""
        return self._message("clear")

    def chunk_bytes(self, rate_hz: int) -> int:
        """100 ms, but at least 3,200 bytes and a multiple of 320: Exotel pads anything else, which is heard as gaps."""
        tenth = rate_hz * 2 // 10
        return max(_MIN_CHUNK, -(-tenth // _CHUNK_MULTIPLE) * _CHUNK_MULTIPLE)

    def _started(self, body: Mapping[str, Any], start: Mapping[str, Any]) -> MediaStarted:
        """The rate the audio really has comes from `media_format`; the URL's is what we asked for."""
        media_format = _mapping(start, "media_format", "mediaFormat")
        asked_hz = self._rate_hz
        self._rate_hz = _RATES.get(_text(media_format, "sample_rate", "sampleRate"), asked_hz)
        self._stream_id = _text(start, "stream_sid", "streamSid") or _text(body, "stream_sid", "streamSid")
        return MediaStarted(
            stream_id=self._stream_id,
            carrier_call_id=_text(start, "call_sid", "callSid") or _text(body, "call_sid", "callSid"),
            rate_hz=self._rate_hz,
        )

    def _message(self, event: str, **content: Mapping[str, str]) -> str:
        self._messages += 1
        head = {"event": event, "sequence_number": str(self._messages), "stream_sid": self._stream_id}
        return json.dumps({**head, **content}, separators=(",", ":"))


def _audio(media: Mapping[str, Any]) -> MediaMessage | None:
    payload = media.get("payload")
    if not isinstance(payload, str):
        return MediaGarbage("media without a payload")
    try:
        pcm = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return MediaGarbage("payload is not base64")
    whole = pcm[: len(pcm) & ~1]
    return MediaAudio(whole) if whole else None


def _dtmf(dtmf: Mapping[str, Any]) -> MediaMessage:
    digit = _text(dtmf, "digit").strip('"').upper()
    return DtmfPressed(digit) if digit in _DIGITS else MediaGarbage("dtmf without a digit")


def _mapping(body: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The first of the named fields that is an object; an empty one if none is (`custom_parameters` may be "")."""
    return next((body[name] for name in names if isinstance(body.get(name), dict)), {})


def _text(body: Mapping[str, Any], *names: str) -> str:
    """The first of the named fields that is text or a whole number, as text; else empty."""
    for name in names:
        value = body.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
    return ""
