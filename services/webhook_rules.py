"""Webhooks as rules: which events a call owes, what a receiver is sent, when again, when never. Pure.

Body, headers and the first three delays are those of the public document; the rest is ours.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.call import Call, CallStatus, Disposition
from models.document import Id, as_iso
from models.webhook import TEST, Attempt, Event, EventType

RETRY_S = (1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 29_400)
"""How long to wait after each failed attempt, a little over a day in all; after the last delay's attempt, never."""

GIVEN_UP = timedelta(hours=24)
"""An endpoint that has taken nothing for so long is switched off when the next delivery to it is given up."""

TOO_OLD = timedelta(days=7)
"""What happened so long ago is not told any more: its deliveries may have been forgotten, and would be made anew."""

BUSY = frozenset({408, 425, 429})
"""Refusals that mean later, not never."""

DESCRIPTIONS: Mapping[EventType, str] = {
    "call.initiated": "Fired when a call is placed or comes in",
    "call.started": "Fired when a call is answered",
    "call.answered": "Fired when a call is answered, together with call.started",
    "call.state_changed": "Fired when call state changes",
    "call.completed": "Fired when an answered call ends as it should",
    "call.ended": "Fired when a call ends, whatever its status",
    "call.failed": "Fired when a call fails, is busy, is not answered or is canceled",
    "campaign.started": "Fired when a campaign starts",
    "campaign.paused": "Fired when a campaign pauses",
    "campaign.completed": "Fired when a campaign has no more contacts to call",
    "lead.imported": "Fired when leads have been imported",
    "recording.ready": "Fired when the recording of a call that is over can be fetched",
    "transcription.complete": "Fired when the transcript of a call that is over can be read",
    "sms.sent": "Fired when the carrier has taken a text message",
}


@dataclass(frozen=True, slots=True)
class Again:
    """Send it once more after `delay_s`."""

    delay_s: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Dead:
    """Never again by itself; it can be replayed."""

    reason: str


Verdict = Taken | Again | Dead


def owed_events(call: Call) -> list[Event]:
    """Everything to tell of a call as it is stored, from its beginning, in order.

    A fact that is found again, later or by somebody else, makes the same event. The conversation is not in it:
    receivers fetch it with their own credentials.
    """
    told = _Told(call)
    told.fact("call.initiated", call.created_at, {"start_time": as_iso(call.created_at)})
    state = CallStatus.INITIATED
    if call.rang_at is not None:
        told.changed(CallStatus.RINGING, state, call.rang_at)
        state = CallStatus.RINGING
    if call.started_at is not None:
        told.changed(CallStatus.IN_PROGRESS, state, call.started_at)
        state = CallStatus.IN_PROGRESS
        begun = {"start_time": as_iso(call.started_at)}
        told.fact("call.answered", call.started_at, begun)
        told.fact("call.started", call.started_at, begun)
    if call.status.is_final:
        _tell_end(told, call, state)
    return told.events


def deliverable(event: Event, now: datetime) -> bool:
    """Whether it is recent enough to be told."""
    return now - event.at < TOO_OLD


def delivery_id(event_id: str, endpoint_id: Id) -> Id:
    """The same for the same two, so that nothing is delivered for two."""
    return Id(hashlib.sha256(f"{event_id}|{endpoint_id}".encode()).hexdigest()[:24])


def body(event_type: str, at: datetime, data: Mapping[str, Any]) -> str:
    """What is sent, as the public document has it."""
    content = {"event": event_type, "timestamp": as_iso(at), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)


def body_of_test(endpoint_id: Id, at: datetime) -> str:
    """What a test sends."""
    return body(TEST, at, {"webhook_id": endpoint_id, "message": "This is a test"})


def headers(event_type: str, event_id: str, content: bytes, secret: str, at: datetime) -> dict[str, str]:
    """What goes with a body. `X-Webhook-Id` stays the same when it is sent again, the timestamp does not."""
    stamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "X-Webhook-Event": event_type,
        "X-Webhook-Id": event_id,
        "X-Webhook-Timestamp": stamp,
        "X-Webhook-Signature": _signature(secret, content),
        "X-Webhook-Signature-Timestamped": _signature(secret, stamp.encode() + b"." + content),
    }


def verdict(attempt: Attempt, tries: int) -> Verdict:
    """What follows from the attempt that was number `tries`, from 1.

    As the public document says, what cannot be reached and what fails (5xx) is tried again; a receiver that understood
    and refused, or sends us elsewhere, would only do so again.
    """
    if attempt.is_success:
        return Taken()
    status = attempt.status_code
    if status is not None and status < 500 and status not in BUSY:
        return Dead(f"The receiver answered with HTTP status {status}")
    if tries <= len(RETRY_S):
        return Again(RETRY_S[tries - 1])
    return Dead("The receiver could not be reached, or failed, for a day")


def is_given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint one of whose deliveries has just died is to be switched off."""
    return failing_since is not None and now - failing_since >= GIVEN_UP


class _Told:
    """The events of one call, in the making. Each kind has its place, whether it happens or not."""

    _PLACES: tuple[tuple[str, str], ...] = (
        ("call.initiated", ""),
        ("call.state_changed", CallStatus.RINGING),
        ("call.state_changed", CallStatus.IN_PROGRESS),
        ("call.answered", ""),
        ("call.started", ""),
        ("call.state_changed", "final"),
        ("call.completed", ""),
        ("call.failed", ""),
        ("call.ended", ""),
        ("transcription.complete", ""),
        ("recording.ready", ""),
        ("call.state_changed", "disposition"),
    )

    def __init__(self, call: Call) -> None:
        self._call = call
        self.events: list[Event] = []

    def fact(
        self, type_: EventType, at: datetime, data: Mapping[str, object], place: str = "", occasion: str = ""
    ) -> None:
        """`occasion` tells apart what happens more than once."""
        call = self._call
        whole = {
            "call_id": call.id,
            "session_id": call.session_id,
            "direction": call.direction,
            "called_number": call.to_phone,
            "caller_number": call.from_phone,
            "agent_id": call.agent_id,
            "metadata": call.metadata,
            **({} if call.campaign is None else {"campaign_id": call.campaign.campaign_id}),
            **data,
        }
        name = ".".join(filter(None, (call.id, type_, place, occasion)))
        sequence = self._PLACES.index((type_, place))
        self.events.append(Event(name, call.organization_id, type_, at, call.id, sequence, whole))

    def disposed(self, word: Disposition) -> None:
        """What the call came to was said, or said anew, after its end."""
        state = self._call.status.value
        data = {"state": state, "previous_state": state, "disposition": word.name}
        self.fact("call.state_changed", word.at, data, "disposition", f"{word.at.timestamp():.3f}")

    def changed(self, to: CallStatus, before: CallStatus, at: datetime) -> None:
        place = "final" if to.is_final else to.value
        self.fact("call.state_changed", at, {"state": to.value, "previous_state": before.value}, place)


def _tell_end(told: _Told, call: Call, before: CallStatus) -> None:
    at, word = call.ended_at or call.updated_at, call.disposition
    told.changed(call.status, before, at)
    ended: dict[str, object] = {
        "status": call.status.value,
        "end_reason": call.end_reason,
        "start_time": None if call.started_at is None else as_iso(call.started_at),
        "end_time": as_iso(at),
        "duration": call.duration_sec or 0,
    }
    if word is not None and word.at <= at:
        ended["disposition"] = word.name
    told.fact("call.completed" if call.status is CallStatus.COMPLETED else "call.failed", at, ended)
    told.fact("call.ended", at, ended)
    if call.turns:
        told.fact("transcription.complete", at, {})
    if call.recording is not None and (call.recording.path or call.recording.url):
        told.fact("recording.ready", at, {})
    if word is not None and word.at > at:
        told.disposed(word)


def _signature(secret: str, signed: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
