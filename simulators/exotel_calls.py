"""Exotel's call API and webhooks from the carrier's side: bodies it answers with and callbacks it sends. Pure.

Wire formats: developer.exotel.com, "Connect Voice AI", "Call details" and the status callback page. Times carry no
zone and are Indian standard time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from xml.etree import ElementTree

_INDIA = timezone(timedelta(hours=5, minutes=30))
_PAGE_SIZE = 50
_MAX_PAGE_SIZE = 100
_REQUIRED = ("From", "CallerId", "StreamUrl", "StreamType")


class Outcome(StrEnum):
    """What becomes of a dialled call, in Exotel's words for the final status."""

    ANSWERED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"


class BadRequest(Exception):
    """A parameter of a call request is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer the carrier gives instead of dialling."""

    status: int
    message: str
    code: str
    retry_after_s: int | None = None

    def body(self) -> dict[str, object]:
        """Exotel's error object."""
        return {"RestException": {"Status": self.status, "Message": self.message, "Code": self.code}}


UNAUTHORIZED = Refusal(401, "Authentication failed. Invalid API Key or Token.", "UNAUTHORIZED")
RATE_LIMITED = Refusal(429, "Rate limit exceeded.", "TOO_MANY_REQUESTS", retry_after_s=1)


@dataclass(frozen=True, slots=True)
class DialRequest:
    """A call the platform ordered. `callee` is Exotel's `From`: the person who is dialled."""

    callee: str
    caller_id: str
    stream_url: str
    callback_url: str | None
    callback_events: frozenset[str]
    is_callback_json: bool
    custom_field: str
    ring_timeout_s: float
    time_limit_s: float


@dataclass(slots=True)
class CallState:
    """One call as the carrier's books have it. In both directions `from_number` is the person outside: Exotel's `From`
    of an order is the one who is dialled, and `to_number` the platform's own number."""

    sid: str
    account_sid: str
    from_number: str
    to_number: str
    direction: str
    """`outbound-api` or `inbound`."""
    created: datetime
    status: str = "in-progress"
    answered: datetime | None = None
    ended: datetime | None = None
    custom_field: str = ""

    @property
    def conversation_s(self) -> int:
        """Whole seconds from answer to end."""
        return round((self.ended - self.answered).total_seconds()) if self.answered and self.ended else 0


def dial_request(form: Sequence[tuple[str, str]]) -> DialRequest:
    """The request in a connect form; raises BadRequest."""
    fields = dict(form)
    missing = [name for name in _REQUIRED if not fields.get(name)]
    if missing:
        raise BadRequest(f"Mandatory parameter missing: {missing[0]}")
    if fields["StreamType"] != "bidirectional" or not fields["StreamUrl"].startswith(("ws://", "wss://")):
        raise BadRequest("StreamUrl must be a ws or wss address and StreamType bidirectional")
    return DialRequest(
        callee=fields["From"],
        caller_id=fields["CallerId"],
        stream_url=fields["StreamUrl"],
        callback_url=fields.get("StatusCallback"),
        callback_events=frozenset(value for name, value in form if name.startswith("StatusCallbackEvents")),
        is_callback_json=fields.get("StatusCallbackContentType") == "application/json",
        custom_field=fields.get("CustomField", ""),
        ring_timeout_s=_seconds(fields, "TimeOut", 45),
        time_limit_s=_seconds(fields, "TimeLimit", 14_400),
    )


def call_body(call: CallState, *, has_details: bool = False) -> dict[str, object]:
    """The `Call` object of the create and the details answers."""
    body: dict[str, object] = {
        "Sid": call.sid,
        "ParentCallSid": None,
        "DateCreated": stamp(call.created),
        "DateUpdated": stamp(call.ended or call.answered or call.created),
        "AccountSid": call.account_sid,
        "To": call.to_number,
        "From": call.from_number,
        "PhoneNumberSid": call.to_number,
        "Status": call.status,
        "StartTime": stamp(call.created),
        "EndTime": stamp(call.ended) if call.ended else None,
        "Duration": str(call.conversation_s) if call.ended else None,
        "Price": None,
        "Direction": call.direction,
        "AnsweredBy": None,
        "ForwardedFrom": None,
        "CallerName": None,
        "Uri": f"/v1/Accounts/{call.account_sid}/Calls.json/{call.sid}",
        "RecordingUrl": None,
    }
    if has_details:
        leg = {"Leg": {"Id": 1, "OnCallDuration": call.conversation_s}}
        status = call.status if call.ended else None
        body["Details"] = {"ConversationDuration": call.conversation_s, "Leg1Status": status, "Legs": [leg]}
    return {"Call": body}


def list_body(account_sid: str, calls: Sequence[CallState], size: int) -> dict[str, object]:
    """The first page of the account's calls."""
    first = f"/v1/Accounts/{account_sid}/Calls.json?PageSize={size}"
    pages = {"Total": len(calls), "PageSize": size, "FirstPageUri": first, "PrevPageUri": None, "NextPageUri": None}
    return {"Metadata": pages, "Calls": [call_body(call)["Call"] for call in calls[:size]]}


def page_size(text: str | None) -> int:
    """How many calls a page of the list shows, 100 at most; raises BadRequest."""
    if text is None:
        return _PAGE_SIZE
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_PAGE_SIZE):
        raise BadRequest(f"PageSize must be between 1 and {_MAX_PAGE_SIZE}")
    return int(text)


def callback_body(call: CallState, event: str, *, now: datetime, is_extended: bool) -> dict[str, object]:
    """A status callback; the short form where no events were asked for."""
    body: dict[str, object] = {
        "CallSid": call.sid,
        "DateUpdated": stamp(now),
        "Status": call.status,
        "RecordingUrl": None,
    }
    if not is_extended:
        return body
    leg = {"OnCallDuration": call.conversation_s, "Status": call.status if call.ended else None, "AnsweredBy": "NA"}
    return body | {
        "EventType": event,
        "DateCreated": stamp(call.created),
        "To": call.to_number,
        "From": call.from_number,
        "PhoneNumberSid": call.to_number,
        "StartTime": stamp(call.created),
        "EndTime": stamp(call.ended) if call.ended else None,
        "ConversationDuration": call.conversation_s,
        "Direction": call.direction,
        "CustomField": call.custom_field,
        "Legs": [leg],
    }


def as_form(body: Mapping[str, object]) -> dict[str, str]:
    """The same callback as form fields: `Legs[0][Status]=completed`, nothing for null."""
    fields: dict[str, str] = {}
    for name, value in body.items():
        if isinstance(value, list):
            for index, item in enumerate(value):
                fields |= {f"{name}[{index}][{key}]": _text(part) for key, part in item.items()}
        else:
            fields[name] = _text(value)
    return fields


def incoming_form(call: CallState) -> dict[str, str]:
    """The webhook that announces a call to one of the platform's numbers."""
    return {"CallSid": call.sid, "From": call.from_number, "To": call.to_number, "Direction": "inbound"}


def stream_url_in(xml: str) -> str | None:
    """Where an incoming call's XML answer wants its media: the first `Stream`, alone or within `Connect`."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None
    stream = root.find(".//Stream")
    return stream.get("url") if stream is not None else None


def reject_reason_in(xml: str) -> str | None:
    """Why an incoming call's XML answer refuses it, `busy` or `rejected`; None: it does not."""
    try:
        reject = ElementTree.fromstring(xml).find("Reject")
    except ElementTree.ParseError:
        return None
    return None if reject is None else reject.get("reason", "rejected")


def stamp(moment: datetime) -> str:
    """A moment as Exotel prints it."""
    return moment.astimezone(_INDIA).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(fields: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(fields.get(name) or default)
    except ValueError as error:
        raise BadRequest(f"{name} must be a number of seconds") from error


def _text(value: object) -> str:
    return "" if value is None else str(value)
