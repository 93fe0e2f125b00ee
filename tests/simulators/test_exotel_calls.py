"""REST answers and callbacks have Exotel's shapes."""

from datetime import UTC, datetime

import pytest

from simulators.exotel_calls import (
    UNAUTHORIZED,
    BadRequest,
    CallState,
    as_form,
    call_body,
    callback_body,
    dial_request,
    incoming_form,
    reject_reason_in,
    stream_url_in,
)

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
ORDER = [
    ("From", "+919876543210"),
    ("CallerId", "+918047491899"),
    ("StreamUrl", "wss://bot.example.com/audio/x"),
    ("StreamType", "bidirectional"),
]


@pytest.fixture
def call() -> CallState:
    return CallState("f" * 32, "demo", "+919876543210", "+918047491899", "outbound-api", created=NOON)


def test_an_order_names_callee_and_stream() -> None:
    order = dial_request(
        [
            *ORDER,
            ("StatusCallback", "https://bot.example.com/status"),
            ("StatusCallbackEvents[0]", "terminal"),
            ("StatusCallbackEvents[1]", "answered"),
            ("StatusCallbackContentType", "application/json"),
            ("TimeLimit", "600"),
        ]
    )
    assert (order.callee, order.caller_id) == ("+919876543210", "+918047491899")
    assert order.callback_events == {"terminal", "answered"}
    assert order.is_callback_json
    assert order.time_limit_s == 600


@pytest.mark.parametrize("missing", ["From", "CallerId", "StreamUrl", "StreamType"])
def test_an_order_without_a_mandatory_parameter_is_refused(missing: str) -> None:
    with pytest.raises(BadRequest, match=missing):
        dial_request([field for field in ORDER if field[0] != missing])


def test_an_order_with_a_wrong_parameter_is_refused() -> None:
    with pytest.raises(BadRequest, match="TimeOut"):
        dial_request([*ORDER, ("TimeOut", "soon")])
    with pytest.raises(BadRequest, match="StreamUrl"):
        dial_request([*ORDER, ("StreamUrl", "https://bot.example.com")])


def test_the_create_answer_is_in_progress_at_once_in_indian_time(call: CallState) -> None:
    body = call_body(call)["Call"]
    assert isinstance(body, dict)
    assert body["Sid"] == "f" * 32
    assert body["Status"] == "in-progress"
    assert body["DateCreated"] == "2026-01-15 17:30:00"
    assert body["From"] == "+919876543210"
    assert body["EndTime"] is None
    assert "Details" not in body


def test_details_tell_the_legs(call: CallState) -> None:
    call.answered, call.ended, call.status = NOON, NOON.replace(minute=1), "completed"
    body = call_body(call, has_details=True)["Call"]
    assert isinstance(body, dict)
    assert body["Duration"] == "60"
    assert body["Details"]["Leg1Status"] == "completed"


def test_a_callback_without_events_is_short(call: CallState) -> None:
    body = callback_body(call, "terminal", now=NOON, is_extended=False)
    assert set(body) == {"CallSid", "DateUpdated", "Status", "RecordingUrl"}


def test_a_terminal_callback_as_json_and_as_form(call: CallState) -> None:
    call.answered, call.ended, call.status = NOON, NOON.replace(second=41), "completed"
    body = callback_body(call, "terminal", now=NOON, is_extended=True)
    assert body["EventType"] == "terminal"
    assert body["ConversationDuration"] == 41
    assert body["Legs"] == [{"OnCallDuration": 41, "Status": "completed", "AnsweredBy": "NA"}]
    form = as_form(body)
    assert form["Legs[0][Status]"] == "completed"
    assert form["ConversationDuration"] == "41"
    assert form["RecordingUrl"] == ""


def test_an_incoming_call_is_announced_and_its_answer_read(call: CallState) -> None:
    assert set(incoming_form(call)) == {"CallSid", "From", "To", "Direction"}
    plain = (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hi</Say><Stream url="wss://x/a?b=1&amp;c=2"/></Response>'
    )
    assert stream_url_in(plain) == "wss://x/a?b=1&c=2"
    assert stream_url_in('<Response><Connect><Stream url="wss://x/b"/></Connect></Response>') == "wss://x/b"
    assert stream_url_in("<Response><Hangup/></Response>") is None
    assert stream_url_in("not xml") is None


def test_a_refused_incoming_call_is_told_from_one_without_a_stream() -> None:
    assert reject_reason_in('<?xml version="1.0"?><Response><Reject reason="busy" /></Response>') == "busy"
    assert reject_reason_in("<Response><Reject/></Response>") == "rejected"
    assert reject_reason_in("<Response><Hangup/></Response>") is None
    assert reject_reason_in('{"success": false}') is None


def test_a_refusal_is_a_rest_exception() -> None:
    assert UNAUTHORIZED.body() == {
        "RestException": {
            "Status": 401,
            "Message": "Authentication failed. Invalid API Key or Token.",
            "Code": "UNAUTHORIZED",
        }
    }
