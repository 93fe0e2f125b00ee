"""Text messages through Exotel: the request, its answers, and never twice."""

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from models.errors import ProviderError
from providers.roles import SendSms
from providers.telephony.exotel.rest import ExotelTelephony
from tests.providers.test_exotel_rest import CREDENTIALS, Carrier

SMS = SendSms(from_number="+918047491899", to_number="+919876543210", text="Your appointment is on Monday at 3 pm.")
TAKEN = {"SMSMessage": {"Sid": "6c7f", "AccountSid": "demo1", "Status": "queued", "Direction": "outbound-api"}}


async def send(carrier: Carrier, sms: SendSms = SMS) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(carrier)) as http:
        await ExotelTelephony(http, pause_s=0.0).send_sms(CREDENTIALS, sms)


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
        httpx.Response(500),
    ],
)
async def test_a_refusal_is_final_and_names_no_number(answer: httpx.Response) -> None:
    carrier = Carrier(answer)
    error = await refused(carrier)
    assert not error.retryable
    assert "09876543210" not in error.message
    assert "text message" in error.message
    assert len(carrier.requests) == 1


@pytest.mark.parametrize("body", [{}, {"SMSMessage": None}, {"SMSMessage": {"Status": "submitted"}}])
async def test_an_answer_that_does_not_say_no_is_a_yes(body: dict[str, Any]) -> None:
    await send(Carrier(httpx.Response(200, json=body)))


async def test_a_message_that_may_have_arrived_is_never_sent_again() -> None:
    carrier = Carrier(httpx.ReadTimeout("slow"), httpx.Response(200, json=TAKEN))
    assert not (await refused(carrier)).retryable
    assert len(carrier.requests) == 1


async def test_a_refused_connection_is_tried_again() -> None:
    carrier = Carrier(httpx.ConnectError("refused"), httpx.Response(200, json=TAKEN))
    await send(carrier)
    assert len(carrier.requests) == 2
