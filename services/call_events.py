"""The payloads of a call's Socket.IO events, to the letter of the public API. Pure.

Beyond it: `isFinal` and `revision` of a transcript, and `call:metrics`.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel

from models.call import Call, SessionId, Turn
from models.document import as_iso
from services.timeline import Latency

STARTED = "call:started"
CONNECTED = "call:connected"
TRANSCRIPT = "call:transcript"
METRICS = "call:metrics"
ENDED = "call:ended"
ERROR = "call:error"

Payload = dict[str, Any]


def status_changed(call: Call, now: datetime) -> Payload:
    """Of `call:started` and `call:connected`."""
    return {"sessionId": call.session_id, "status": call.status.value, "timestamp": as_iso(now)}


def transcript(session_id: SessionId, turn: Turn) -> Payload:
    """Of `call:transcript`: one finished turn."""
    return {
        "sessionId": session_id,
        "role": turn.role,
        "text": turn.content,
        "timestamp": as_iso(turn.timestamp),
        "isFinal": True,
        "revision": turn.revision,
    }


def partial(session_id: SessionId, text: str, revision: int, now: datetime) -> Payload:
    """Of `call:transcript` too: what the caller has said so far of a turn that is not over."""
    return {
        "sessionId": session_id,
        "role": "user",
        "text": text,
        "timestamp": as_iso(now),
        "isFinal": False,
        "revision": revision,
    }


def metrics(session_id: SessionId, turn: Turn, latency: Latency) -> Payload:
    """Of `call:metrics`: where the time of an answer went, in milliseconds; `turn` is its index."""
    figures = {to_camel(name): ms for name, ms in asdict(latency).items()}
    return {
        "sessionId": session_id,
        "turn": turn.index,
        "timings": turn.timings.model_dump(by_alias=True, mode="json"),
        "latency": {"userStopToFirstByteMs": figures.pop("totalMs"), **figures},
        "timestamp": as_iso(turn.timestamp),
    }


def ended(call: Call) -> Payload:
    """Of `call:ended`, from the closed log; `duration` in seconds."""
    return {
        "sessionId": call.session_id,
        "status": call.status.value,
        "duration": call.duration_sec or 0,
        "timestamp": as_iso(call.ended_at or call.updated_at),
    }


def error(session_id: str, code: str, message: str) -> Payload:
    """Of `call:error`."""
    return {"sessionId": session_id, "error": {"code": code, "message": message}}
