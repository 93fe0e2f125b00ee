"""Exotel's media socket from the carrier's side: the frames it sends and what it makes of the platform's. Pure.

Wire format: developer.exotel.com, AgentStream, stream and voicebot applet. JSON text frames only; numbers are strings;
audio is 16-bit little-endian mono PCM in base64.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

RATES_HZ = (8_000, 16_000, 24_000)
FRAME_S = 0.1
MIN_CHUNK, MAX_CHUNK, CHUNK_STEP = 3_200, 100_000, 320
"""Bytes of PCM in one media message: at least, at most, and a multiple of. Outside of it Exotel's playout stutters."""
_MAX_PARAMETERS = 3


@dataclass(frozen=True, slots=True)
class StreamIds:
    """Who is on the line."""

    stream_sid: str
    call_sid: str
    account_sid: str
    from_number: str
    to_number: str


@dataclass(frozen=True, slots=True)
class Played:
    """The platform wants this PCM played."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Marked:
    """The platform wants to know when everything before this was played."""

    name: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """The platform wants what was not played dropped."""


@dataclass(frozen=True, slots=True)
class Garbled:
    """Nothing Exotel would understand, and why."""

    problem: str


FromPlatform = Played | Marked | Cleared | Garbled


def rate_of(url: str) -> int:
    """The sample rate a media URL asks for: 8,000 Hz unless `?sample-rate=` names another the carrier speaks."""
    wanted = dict(parse_qsl(urlsplit(url).query)).get("sample-rate", "")
    return int(wanted) if wanted.isdigit() and int(wanted) in RATES_HZ else RATES_HZ[0]


def parameters_of(url: str) -> dict[str, str]:
    """The custom parameters that come back in `start`: up to three of the URL's query."""
    pairs = [pair for pair in parse_qsl(urlsplit(url).query) if pair[0] != "sample-rate"]
    return dict(pairs[:_MAX_PARAMETERS])


def chunk_problem(size: int) -> str | None:
    """What is wrong with a media message of that many bytes of PCM; None: nothing."""
    if size < MIN_CHUNK:
        return "too small"
    if size > MAX_CHUNK:
        return "too large"
    return "not a multiple of 320" if size % CHUNK_STEP else None


def parse(message: str | bytes) -> FromPlatform:
    """One message of the platform."""
    try:
        frame = json.loads(message)
        match frame["event"]:
            case "media":
                return Played(base64.b64decode(frame["media"]["payload"], validate=True))
            case "mark":
                return Marked(str(frame["mark"]["name"]))
            case "clear":
                return Cleared()
            case _:
                return Garbled("unknown event")
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        return Garbled(type(error).__name__)


class Frames:
    """The frames of one stream, numbered."""

    def __init__(self, ids: StreamIds, *, rate_hz: int, parameters: Mapping[str, str]) -> None:
        self._ids = ids
        self._rate_hz = rate_hz
        self._parameters = dict(parameters)
        self._sequence = 0
        self._chunk = 0

    def connected(self) -> str:
        """The first frame; it has no number."""
        return json.dumps({"event": "connected"})

    def start(self) -> str:
        """Whose stream it is, and what its audio is."""
        media_format = {"encoding": "audio/x-raw", "sample_rate": str(self._rate_hz), "bit_rate": "16"}
        start = {
            "stream_sid": self._ids.stream_sid,
            "call_sid": self._ids.call_sid,
            "account_sid": self._ids.account_sid,
            "from": self._ids.from_number,
            "to": self._ids.to_number,
            "custom_parameters": self._parameters,
            "media_format": media_format,
        }
        return self._frame("start", start)

    def media(self, pcm: bytes) -> str:
        """The caller's next 100 ms; `timestamp` is in milliseconds since the stream began."""
        self._chunk += 1
        timestamp = str(round(self._chunk * FRAME_S * 1000))
        payload = base64.b64encode(pcm).decode()
        return self._frame("media", {"chunk": str(self._chunk), "timestamp": timestamp, "payload": payload})

    def mark(self, name: str) -> str:
        """Everything before the mark was played."""
        return self._frame("mark", {"name": name})

    def dtmf(self, digit: str) -> str:
        """The caller pressed a key."""
        return self._frame("dtmf", {"digit": digit, "duration": "100"})

    def stop(self, reason: str) -> str:
        """The stream is over: `callended` (the caller hung up) or `stopped` (the carrier ended it)."""
        ids = {"call_sid": self._ids.call_sid, "account_sid": self._ids.account_sid}
        return self._frame("stop", {**ids, "reason": reason})

    def _frame(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        head = {"event": event, "sequence_number": str(self._sequence), "stream_sid": self._ids.stream_sid}
        return json.dumps({**head, event: body})
