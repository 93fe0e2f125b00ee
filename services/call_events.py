"""The payloads of a call's Socket.IO events, to the letter of the public API. Pure."""

from datetime import datetime
from typing import Any

from models.call import Call, SessionId, Turn
from models.document import as_iso

STARTED = "call:started"
CONNECTED = "call:connected"
TRANSCRIPT = "call:transcript"
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
