"""Text messages through Exotel: the request, its answers, and never twice."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from models.errors import Invalid, ProviderError
from models.sms import SmsStatus
from providers.roles import SendSms, SentSms, SmsUpdate
from providers.telephony.exotel.rest import ExotelTelephony
from providers.telephony.exotel.sms import UNKNOWN
from providers.telephony.exotel.webhooks import parse_sms
from tests.providers.test_exotel_rest import CREDENTIALS, Carrier

SMS = SendSms(from_number="+918047491899", to_number="+919876543210", text="Your appointment is on Monday at 3 pm.")
TAKEN = {"SMSMessage": {"Sid": "6c7f", "AccountSid": "demo1", "Status": "queued", "Direction": "outbound-api"}}


async def send(carrier: Carrier, sms: SendSms = SMS) -> SentSms:
    async with httpx.AsyncClient(transport=httpx.MockTransport(carrier)) as http:
        return await ExotelTelephony(http, pause_s=0.0).send_sms(CREDENTIALS, sms)


async def refused(carrier: Carrier) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await send(carrier)
    return caught.value


async def test_a_message_is_sent_as_a_form() -> None:
    carrier = Carrier(httpx.Response(200, json=TAKEN))
    await send(carrier)
    [request] = carrier.requests
    assert (request.method, str(request.url)) == (
        "POST",
        "https://api.in.exotel.com/v1/Accounts/demo1/Sms/send.json",
    )
    assert request.headers["authorization"] == "Basic a2V5OnRva2Vu"
    assert parse_qs(request.content.decode()) == {
        "From": [SMS.from_number],
        "To": [SMS.to_number],
        "Body": [SMS.text],
        "EncodingType": ["plain"],
    }


async def test_a_registered_text_says_so_and_where_to_report() -> None:
    carrier = Carrier(httpx.Response(200, json=TAKEN))
    registered = {"dlt_template_id": "1107", "dlt_entity_id": "1101", "status_url": "https://bot.example.com/sms?t=a"}
    assert await send(carrier, replace(SMS, **registered)) == SentSms("6c7f")
    form = parse_qs(carrier.requests[0].content.decode())
    assert (form["DltTemplateId"], form["DltEntityId"]) == (["1107"], ["1101"])
    assert form["StatusCallback"] == ["https://bot.example.com/sms?t=a"]


async def test_other_scripts_are_sent_as_unicode() -> None:
    carrier = Carrier(httpx.Response(200, json=TAKEN))
    await send(carrier, SendSms(SMS.from_number, SMS.to_number, "नमस्ते " * 400))
    form = parse_qs(carrier.requests[0].content.decode())
    assert form["EncodingType"] == ["unicode"]
    assert len(form["Body"][0]) == 2_000


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json={"RestException": {"Status": 403, "Message": "No balance for 09876543210"}}),
        httpx.Response(200, json={"RestException": {"Status": 400, "Message": "No balance"}}),
        httpx.Response(200, json={"SMSMessage": {"Sid": "6c7f", "Status": "failed-dnd"}}),
        httpx.Response(404),
    ],
)
async def test_a_refusal_is_final_and_names_no_number(answer: httpx.Response) -> None:
    carrier = Carrier(answer)
    error = await refused(carrier)
    assert not error.retryable
    assert "09876543210" not in error.message
    assert "text message" in error.message
    assert len(carrier.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, headers={"Retry-After": "7"}),
        httpx.Response(500, headers={"Retry-After": "7"}),
        httpx.Response(503, headers={"Retry-After": "7"}),
        httpx.Response(200, json={"RestException": {"Status": 429}}, headers={"Retry-After": "7"}),
    ],
)
async def test_a_refusal_for_the_moment_says_so(answer: httpx.Response) -> None:
    error = await refused(Carrier(answer))
    assert (error.retryable, error.retry_after_s) == (True, 7.0)


@pytest.mark.parametrize("status", [408, 502, 504])
async def test_what_stands_before_the_carrier_does_not_know_its_answer(status: int) -> None:
    error = await refused(Carrier(httpx.Response(status)))
    assert (error.retryable, error.message) == (False, UNKNOWN)


@pytest.mark.parametrize("body", [{}, {"SMSMessage": None}, {"SMSMessage": {"Status": "submitted", "Sid": 7}}])
async def test_an_answer_that_does_not_say_no_is_a_yes(body: dict[str, Any]) -> None:
    assert await send(Carrier(httpx.Response(200, json=body))) == SentSms(None)


async def test_a_message_that_may_have_arrived_is_never_sent_again() -> None:
    carrier = Carrier(httpx.ReadTimeout("slow"), httpx.Response(200, json=TAKEN))
    assert not (await refused(carrier)).retryable
    assert len(carrier.requests) == 1


async def test_a_refused_connection_is_tried_again() -> None:
    carrier = Carrier(httpx.ConnectError("refused"), httpx.Response(200, json=TAKEN))
    await send(carrier)
    assert len(carrier.requests) == 2


@pytest.mark.parametrize(
    ("status", "detail", "means"),
    [
        ("queued", "PENDING_TO_OPERATOR", SmsStatus.SENT),
        ("sending", "", SmsStatus.SENT),
        ("submitted", None, SmsStatus.SENT),
        ("sent", "DELIVERED_TO_OPERATOR", SmsStatus.SENT),
        ("sent", "DELIVERED_TO_HANDSET", SmsStatus.DELIVERED),
        ("Delivered", "", SmsStatus.DELIVERED),
        ("failed", "FAILED_SPAM", SmsStatus.UNDELIVERED),
        ("failed-dnd", "FAILED_DND", SmsStatus.UNDELIVERED),
        ("failed_dnd", "FAILED_DND", SmsStatus.UNDELIVERED),
        ("undelivered", "", SmsStatus.UNDELIVERED),
        ("expired", "", SmsStatus.UNDELIVERED),
        ("teleported", "", None),
        (None, None, None),
    ],
)
def test_what_the_carrier_reports(status: str | None, detail: str | None, means: SmsStatus | None) -> None:
    for body in (
        {"SmsSid": "6c7f", "Status": status, "DetailedStatus": detail},
        {"sms_sid": "6c7f", "SmsStatus": status, "detailed_status": detail},
    ):
        assert parse_sms(body) == SmsUpdate("6c7f", means, detail or None)


@pytest.mark.parametrize("detail", ["<b>", "to +919876543210", "x" * 200, ["FAILED"], {"a": 1}, 7])
def test_a_word_that_is_none_is_not_kept(detail: object) -> None:
    assert parse_sms({"SmsSid": "6c7f", "Status": "failed", "DetailedStatus": detail}).detail is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"CallSid": "6c7f"},
        *({"SmsSid": odd} for odd in ("", None, ["6c7f"], "6c 7f", "\0", "\ud800", "6" * 200)),
    ],
)
def test_a_callback_that_names_no_message_is_none(body: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        parse_sms(body)
    assert [problem.field for problem in caught.value.fields] == ["SmsSid"]
