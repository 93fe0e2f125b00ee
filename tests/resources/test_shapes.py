"""Envelope, lists, webhooks and calls as the API shows them, without a server."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from models.call import CostBreakdown, Recording
from models.document import new_id
from models.errors import Invalid
from serve_app.envelope import Pagination, Success
from serve_app.resources.call_log import CallDetail, CostResource, ListedCall, PlacedCallResource, transcript
from serve_app.resources.lists import before, since
from serve_app.resources.webhooks import stream_xml
from stores.repository import Page
from tests.documents import NOW, a_call, a_turn


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (20, 1), (21, 2), (150, 8)])
def test_pages_are_counted_up(total: int, pages: int) -> None:
    shown = Pagination.of(Page(items=[], total=total, page=1, limit=20))
    assert shown.model_dump() == {"total": total, "page": 1, "limit": 20, "pages": pages}


def test_a_message_is_left_out_when_there_is_none() -> None:
    assert Success(data=1).model_dump() == {"success": True, "data": 1}
    assert Success(data=1, message="done").model_dump() == {"success": True, "message": "done", "data": 1}


def test_what_did_not_happen_is_left_out_but_metadata_keeps_its_nulls() -> None:
    call = a_call(new_id(), metadata={"orderId": None}, recording=Recording(path="a.wav"))
    shown = PlacedCallResource.of(call).model_dump(by_alias=True, mode="json")
    assert "exotelCallSid" not in shown
    assert shown["metadata"] == {"orderId": None}
    detail = CallDetail.of(call, None).model_dump(by_alias=True, mode="json")
    assert not {"startedAt", "endedAt", "durationSec", "recordingUrl", "answeredBy"} & detail.keys()
    assert detail["transcript"] == ""


def test_who_picked_up_is_shown_when_it_is_known() -> None:
    call = a_call(new_id(), answered_by="machine-voicemail")
    for shown in (CallDetail.of(call, None), ListedCall.of(call, None)):
        assert shown.model_dump(by_alias=True, mode="json")["answeredBy"] == "machine-voicemail"


def test_costs_are_shown_in_credits_with_their_total() -> None:
    cost = CostBreakdown(stt=22_000, llm=45_000, tts=200, telephony=30_000)
    expected = {"stt": 0.022, "llm": 0.045, "tts": 0.0002, "telephony": 0.03, "total": 0.0972}
    assert CostResource.of(cost).model_dump() == expected


def test_a_transcript_names_both_sides() -> None:
    answer = a_turn(1, "Hi! How can I help you?").model_copy(update={"role": "assistant"})
    assert transcript([a_turn(0), answer]) == "User: Hello\nAgent: Hi! How can I help you?"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-15", datetime(2024, 1, 15, tzinfo=UTC)),
        ("2024-01-15T10:30:00.000Z", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
        ("2024-01-15T10:30", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
        ("2024-01-15T16:00:00+05:30", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_utc(text: str, moment: datetime) -> None:
    assert since(text) == moment


def test_the_last_date_belongs_to_the_list() -> None:
    assert before("2024-01-15") == datetime(2024, 1, 16, tzinfo=UTC)
    last = before("2024-01-15T10:30:00Z")
    assert last is not None
    assert last > datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert before(None) is since(None) is None


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "15/01/2024", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        since(text)


@pytest.mark.parametrize("url", ["wss://a.example/audio/s?token=t&x=1", "ws://a/\"'<>&"])
def test_any_address_survives_the_xml(url: str) -> None:
    [stream] = ElementTree.fromstring(stream_xml(url))
    assert (stream.tag, stream.attrib) == ("Stream", {"url": url})


def test_times_of_documents_are_shown_as_documented() -> None:
    shown = PlacedCallResource.of(a_call(new_id())).model_dump(by_alias=True, mode="json")
    assert shown["createdAt"] == "2026-01-15T10:30:00.000Z" == NOW.isoformat(timespec="milliseconds")[:-6] + "Z"
