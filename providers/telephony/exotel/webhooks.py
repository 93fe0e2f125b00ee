"""What Exotel tells us over HTTP: incoming calls, status callbacks, messages and, asked, a call's details. Pure.

The same fields come as a GET query, a form or JSON; nested ones as JSON (`Legs: [...]`, `Stream: {...}`), as JSON in a
string, or as form keys (`Legs[0][Status]`, `Stream[RecordingUrl]`). Names differ in case and underscores.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.call import CallStatus
from models.errors import FieldError, Invalid
from models.sms import SmsStatus
from providers.roles import IncomingCall, SmsUpdate, StatusUpdate
from providers.telephony.numbers import to_e164

EVENTS = {"ringing": CallStatus.RINGING, "answered": CallStatus.IN_PROGRESS}
"""`EventType` of a callback that is not the last one; it is surer than the `Status` beside it."""

STATUSES = {
    "queued": CallStatus.INITIATED,
    "initiated": CallStatus.INITIATED,
    "ringing": CallStatus.RINGING,
    "in-progress": CallStatus.IN_PROGRESS,
    "answered": CallStatus.IN_PROGRESS,
    "completed": CallStatus.COMPLETED,
    "failed": CallStatus.FAILED,
    "busy": CallStatus.BUSY,
    "no-answer": CallStatus.NO_ANSWER,
    "canceled": CallStatus.CANCELED,
    "cancelled": CallStatus.CANCELED,
}

SMS_STATUSES = {
    **dict.fromkeys(("queued", "sending", "submitted", "sent"), SmsStatus.SENT),
    **dict.fromkeys(("failed", "failed-dnd", "undelivered", "expired"), SmsStatus.UNDELIVERED),
    "delivered": SmsStatus.DELIVERED,
}
"""`Status` of a message. `sent` is the last word of some networks, which never say `delivered`."""
ON_THE_PHONE = "delivered-to-handset"
"""`DetailedStatus` that is surer than the `Status` beside it."""

_MAX_TEXT = 2_000
_SMS_ID = re.compile(r"[!-~]{1,128}")
_HALVES = re.compile("[\ud800-\udfff]")
"""Of characters: JSON can spell them, and nothing can store them."""
_DETAIL = re.compile(r"[A-Za-z][A-Za-z _-]{0,79}")
_MAX_DURATION_S = 7 * 24 * 3600

Fields = Mapping[str, object]


def parse_incoming(body: Fields) -> IncomingCall:
    """A call to one of our numbers; Invalid without its id and both ends."""
    fields = _folded(body)
    found = {
        "CallSid": _text(fields, "callsid"),
        "CallFrom": _text(fields, "callfrom", "from"),
        "CallTo": _text(fields, "callto", "to"),
    }
    missing = [FieldError(name, "is required") for name, value in found.items() if not value]
    if missing:
        raise Invalid("Not an incoming call", fields=missing)
    return IncomingCall(found["CallSid"], to_e164(found["CallFrom"]), to_e164(found["CallTo"]))


def parse_status(body: Fields) -> StatusUpdate:
    """A status or recording callback; Invalid without a call id. A status word we do not know is no status."""
    fields = _folded(body)
    call_id = _text(fields, "callsid")
    if not call_id:
        raise Invalid("Not a status callback", fields=[FieldError("CallSid", "is required")])
    stream = _nested(fields, "stream")
    url = _text(fields, "recordingurl") or _text(stream, "recordingurl")
    return StatusUpdate(
        carrier_call_id=call_id,
        status=_status(fields),
        duration_s=_seconds(_text(fields, "conversationduration", "callduration", "dialcallduration", "duration")),
        recording_url=url if url.startswith(("https://", "http://")) else None,
    )


def parse_sms(body: Fields) -> SmsUpdate:
    """A callback on a text message; Invalid without the message's id. A word we do not know is no status."""
    fields = _folded(body)
    message_id = _text(fields, "smssid")
    if not _SMS_ID.fullmatch(message_id):
        raise Invalid("Not a text message's callback", fields=[FieldError("SmsSid", "is required")])
    detail = _text(fields, "detailedstatus")
    status = SMS_STATUSES.get(_word(_text(fields, "status", "smsstatus")))
    if _word(detail) == ON_THE_PHONE:
        status = SmsStatus.DELIVERED
    return SmsUpdate(message_id, status, detail if _DETAIL.fullmatch(detail) else None)


def parse_details(carrier_call_id: str, call: Fields) -> StatusUpdate:
    """The `Call` object of a details answer, `Details` included.

    Its `in-progress` stands there from the order on, before anybody was rung: it is no status. Numbers are strings.
    """
    details = call.get("Details")
    spoken = details if isinstance(details, Mapping) else {}
    update = parse_status({**call, **spoken, "CallSid": carrier_call_id})
    return replace(update, status=None) if update.status is CallStatus.IN_PROGRESS else update


def _status(fields: Fields) -> CallStatus | None:
    event = EVENTS.get(_word(_text(fields, "eventtype")))
    said = STATUSES.get(_word(_text(fields, "status", "callstatus", "dialcallstatus")))
    return event or said or STATUSES.get(_word(_first_leg_status(fields)))


def _first_leg_status(fields: Fields) -> str:
    """The status of the called party's leg, for callbacks that have nothing better."""
    legs = _decoded(fields.get("legs"))
    if isinstance(legs, Sequence) and legs and isinstance(legs[0], Mapping):
        return _text(_folded(legs[0]), "status")
    return _text(fields, "legs[0][status]")


def _nested(fields: Fields, name: str) -> Fields:
    """An object in any of its three spellings, its names folded."""
    value = _decoded(fields.get(name))
    if isinstance(value, Mapping):
        return _folded(value)
    head = f"{name}["
    return {key[len(head) : -1]: value for key, value in fields.items() if key.startswith(head) and key.endswith("]")}


def _decoded(value: object) -> Any:
    if not isinstance(value, str) or len(value) > _MAX_TEXT * 10:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _folded(body: Mapping[Any, object]) -> Fields:
    """Names in lower case without underscores: `CallSid`, `callSid` and `call_sid` are one."""
    return {str(key).lower().replace("_", ""): value for key, value in body.items()}


def _text(fields: Fields, *names: str) -> str:
    """The first of the named fields that says something, without the double quotes Exotel wraps digits in."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = str(value)[:_MAX_TEXT].strip().strip('"')
            if text and text.lower() != "null" and not _HALVES.search(text):
                return text
    return ""


def _word(text: str) -> str:
    return text.lower().replace("_", "-")


def _seconds(text: str) -> int | None:
    whole = text.partition(".")[0]
    if not (whole.isascii() and whole.isdigit() and len(whole) < 8):
        return None
    seconds = int(whole)
    return seconds if seconds <= _MAX_DURATION_S else None
