"""Exotel's callbacks in the spellings that are in the field."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from models.call import CallStatus
from models.errors import Invalid
from providers.roles import IncomingCall, StatusUpdate
from providers.telephony.exotel.webhooks import parse_details, parse_incoming, parse_status

SID = "80bfbec2d78bbbf10fb851f4fa165211"
URL = "https://recordings.exotel.com/demo1/rec.mp3"
TERMINAL: dict[str, Any] = {
    "CallSid": SID,
    "EventType": "terminal",
    "DateUpdated": "2024-01-15 14:30:45",
    "To": "09123456789",
    "From": "09876543210",
    "Status": "completed",
    "ConversationDuration": 320,
    "Direction": "outbound-api",
    "CustomField": "order_12345",
    "RecordingUrl": URL,
    "Legs": [{"OnCallDuration": 325, "Status": "completed"}, {"OnCallDuration": 320, "Status": "completed"}],
}


def test_an_incoming_call_of_the_voicebot_applet() -> None:
    query = {"CallSid": SID, "CallFrom": "09876543210", "CallTo": "08047491899", "From": "x", "Direction": "incoming"}
    assert parse_incoming(query) == IncomingCall(SID, "+919876543210", "+918047491899")


@pytest.mark.parametrize(
    "body",
    [
        {"CallSid": SID, "From": "+919876543210", "To": "08047491899"},
        {"call_sid": SID, "call_from": "919876543210", "call_to": "+918047491899"},
        {"callSid": SID, "from": "9876543210", "to": "918047491899"},
    ],
)
def test_an_incoming_call_in_other_spellings(body: dict[str, str]) -> None:
    assert parse_incoming(body) == IncomingCall(SID, "+919876543210", "+918047491899")


def test_a_withheld_number_is_passed_on_as_it_came() -> None:
    assert parse_incoming({"CallSid": SID, "From": "anonymous", "To": "x"}).from_number == "anonymous"


def test_half_a_character_says_nothing_for_nobody_could_store_it() -> None:
    with pytest.raises(Invalid):
        parse_incoming(json.loads('{"CallSid": "a\\ud800", "From": "09876543210", "To": "08047491899"}'))


def test_what_is_not_an_incoming_call_is_refused_with_the_missing_fields() -> None:
    with pytest.raises(Invalid) as caught:
        parse_incoming({"CallSid": SID, "From": "", "To": ["+918047491899"]})
    assert [field.field for field in caught.value.fields] == ["CallFrom", "CallTo"]


def test_the_documented_terminal_callback() -> None:
    assert parse_status(TERMINAL) == StatusUpdate(SID, CallStatus.COMPLETED, duration_s=320, recording_url=URL)


def test_the_same_callback_as_a_form() -> None:
    legs = {"Legs[0][OnCallDuration]": "325", "Legs[0][Status]": "completed"}
    form = {key: str(value) for key, value in TERMINAL.items() if key != "Legs"}
    assert parse_status({**form, **legs}) == parse_status(TERMINAL)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", CallStatus.INITIATED),
        ("ringing", CallStatus.RINGING),
        ("in-progress", CallStatus.IN_PROGRESS),
        ("in_progress", CallStatus.IN_PROGRESS),
        ("completed", CallStatus.COMPLETED),
        ("Failed", CallStatus.FAILED),
        ("busy", CallStatus.BUSY),
        ("no-answer", CallStatus.NO_ANSWER),
        ("canceled", CallStatus.CANCELED),
        ("cancelled", CallStatus.CANCELED),
        ("exploded", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("name", ["Status", "CallStatus"])
def test_each_status_word_has_one_meaning(name: str, word: str, status: CallStatus | None) -> None:
    assert parse_status({"CallSid": SID, name: word}).status == status


@pytest.mark.parametrize(("event", "status"), [("ringing", CallStatus.RINGING), ("answered", CallStatus.IN_PROGRESS)])
def test_an_early_event_is_surer_than_the_status_beside_it(event: str, status: CallStatus) -> None:
    assert parse_status({"CallSid": SID, "EventType": event, "Status": "queued"}).status == status


@pytest.mark.parametrize(
    "legs",
    [
        {"Legs": [{"Status": "busy", "AnsweredBy": "NA"}]},
        {"Legs": '[{"Status": "busy"}]'},
        {"Legs[0][Status]": "busy", "Legs[1][Status]": "null"},
    ],
)
def test_the_first_leg_speaks_when_the_call_itself_says_nothing(legs: dict[str, object]) -> None:
    assert parse_status({"CallSid": SID, "EventType": "terminal", "Status": "null", **legs}).status == CallStatus.BUSY


@pytest.mark.parametrize(
    "stream",
    [
        {"Stream[RecordingUrl]": URL, "Stream[Status]": "completed"},
        {"Stream": json.dumps({"StreamSID": "62", "RecordingUrl": URL, "Duration": "28"})},
        {"Stream": {"RecordingUrl": URL}},
    ],
)
def test_the_recording_of_a_stream_is_found_in_each_spelling(stream: dict[str, object]) -> None:
    assert parse_status({"CallSid": SID, **stream}) == StatusUpdate(SID, None, recording_url=URL)


@pytest.mark.parametrize(
    ("value", "seconds"), [("28", 28), (28, 28), ("28.6", 28), ("", None), ("-1", None), ("9" * 99, None), (True, None)]
)
def test_durations_are_whole_seconds_or_nothing(value: object, seconds: int | None) -> None:
    assert parse_status({"CallSid": SID, "CallDuration": value}).duration_s == seconds


def test_a_recording_that_is_no_web_address_is_left_out() -> None:
    assert parse_status({"CallSid": SID, "RecordingUrl": "javascript:alert(1)"}).recording_url is None


def test_a_callback_without_a_call_is_refused() -> None:
    with pytest.raises(Invalid):
        parse_status({"Status": "completed"})


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
NAMES = st.sampled_from(["CallSid", "Status", "Legs", "Stream", "From", "To", "RecordingUrl", "Stream[x", "Legs[0]["])


@given(st.dictionaries(NAMES | st.text(max_size=5), VALUES | st.dictionaries(st.text(), VALUES, max_size=2)))
def test_any_form_is_either_understood_or_refused(body: dict[str, Any]) -> None:
    for parse in (parse_incoming, parse_status):
        try:
            parse(body)
        except Invalid:
            continue


@pytest.mark.parametrize(
    ("call", "status", "duration_s"),
    [
        ({"Status": "in-progress", "Duration": None, "EndTime": None}, None, None),
        ({"Status": "in-progress", "Details": {"Leg1Status": "in-progress", "ConversationDuration": 0}}, None, 0),
        ({"Status": "queued"}, CallStatus.INITIATED, None),
        ({"Status": "ringing", "Details": None}, CallStatus.RINGING, None),
        ({"Status": "completed", "Duration": "21"}, CallStatus.COMPLETED, 21),
        ({"Status": "completed", "Duration": "21", "Details": {"ConversationDuration": 8}}, CallStatus.COMPLETED, 8),
        ({"Status": "no-answer", "Duration": "0", "Details": "?"}, CallStatus.NO_ANSWER, 0),
        ({"Status": "cancelled"}, CallStatus.CANCELED, None),
        ({"Status": "exploded", "Duration": "soon"}, None, None),
        ({}, None, None),
    ],
)
def test_details_tell_the_end_and_never_the_answer(
    call: dict[str, object], status: CallStatus | None, duration_s: int | None
) -> None:
    assert parse_details("sid", call) == StatusUpdate("sid", status, duration_s)
