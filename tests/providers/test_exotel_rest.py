"""Dialling through Exotel: the request, its answers, and never twice."""

from urllib.parse import parse_qs

import httpx
import pytest

from models.call import CallStatus
from models.errors import Invalid, ProviderError
from providers.roles import CarrierCredentials, PlaceCall, PlacedCall, StatusUpdate
from providers.telephony.exotel.rest import ExotelTelephony, host_of

CREDENTIALS = CarrierCredentials(sid="demo1", subdomain="api.in.exotel.com", api_key="key", api_token="token")
REQUEST = PlaceCall(
    from_number="+918047491899",
    to_number="+919876543210",
    media_url="wss://bot.example.com/audio/sess_1?sample-rate=8000&t=abc",
    status_url="https://bot.example.com/webhooks/exotel/status?t=abc",
    ring_timeout_s=30,
    time_limit_s=3600,
)
XML_REFUSAL = (
    "<TwilioResponse><RestException><Status>401</Status><Message>Bad token</Message></RestException></TwilioResponse>"
)
TAKEN = {"Call": {"Sid": "c5797dcb", "Status": "in-progress", "To": None}}


class Carrier:
    """Answers each request with the next answer; an exception is raised instead."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[len(self.requests) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def dial(carrier: Carrier, base_url: str | None = None) -> PlacedCall:
    async with httpx.AsyncClient(transport=httpx.MockTransport(carrier)) as http:
        return await ExotelTelephony(http, base_url=base_url, pause_s=0.0).place_call(CREDENTIALS, REQUEST)


async def refused(carrier: Carrier) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await dial(carrier)
    return caught.value


async def test_a_call_is_asked_for_in_the_connect_voice_ai_shape() -> None:
    carrier = Carrier(httpx.Response(200, json=TAKEN))
    assert await dial(carrier) == PlacedCall("c5797dcb")
    (request,) = carrier.requests
    assert str(request.url) == "https://api.in.exotel.com/v1/Accounts/demo1/Calls/connect.json"
    assert request.headers["authorization"] == "Basic a2V5OnRva2Vu"
    assert parse_qs(request.content.decode()) == {
        "From": ["+919876543210"],
        "CallerId": ["+918047491899"],
        "StreamUrl": [REQUEST.media_url],
        "StreamType": ["bidirectional"],
        "StatusCallback": [REQUEST.status_url],
        "StatusCallbackEvents[]": ["terminal", "answered", "ringing"],
        "StatusCallbackContentType": ["application/json"],
        "TimeLimit": ["3600"],
        "TimeOut": ["30"],
    }


async def test_a_base_url_replaces_the_subdomain() -> None:
    carrier = Carrier(httpx.Response(200, json=TAKEN))
    await dial(carrier, base_url="http://127.0.0.1:9000/")
    assert str(carrier.requests[0].url) == "http://127.0.0.1:9000/v1/Accounts/demo1/Calls/connect.json"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"RestException": {"Status": 401, "Message": "Bad token", "Code": "UNAUTHORIZED"}}),
        httpx.Response(401, json={"RestException": {"Status": 401, "Message": "Bad token", "Code": 34010}}),
        httpx.Response(200, json={"RestException": {"Status": 401, "Message": "Bad token"}}),
        httpx.Response(401, text=XML_REFUSAL),
    ],
    ids=["string code", "number code", "in a 200", "xml"],
)
async def test_a_refusal_is_told_in_the_carriers_words(answer: httpx.Response) -> None:
    error = await refused(Carrier(answer))
    assert "Bad token" in error.message
    assert not error.retryable


@pytest.mark.parametrize("answer", [httpx.Response(403), httpx.Response(500, text="<html>"), httpx.Response(302)])
async def test_an_empty_or_strange_refusal_is_final(answer: httpx.Response) -> None:
    carrier = Carrier(answer)
    error = await refused(carrier)
    assert not error.retryable
    assert str(answer.status_code) in error.message
    assert len(carrier.requests) == 1


async def test_too_many_requests_is_retryable_for_the_caller_but_not_retried_here() -> None:
    carrier = Carrier(httpx.Response(429, headers={"Retry-After": "12"}))
    error = await refused(carrier)
    assert (error.retryable, error.retry_after_s, len(carrier.requests)) == (True, 12.0, 1)


async def test_numbers_are_not_repeated_in_an_error() -> None:
    body = {"RestException": {"Message": "09876543210 is on the do-not-disturb list"}}
    assert "09876543210" not in (await refused(Carrier(httpx.Response(403, json=body)))).message


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"Call": {}}', '{"Call": {"Sid": 5}}', "[" * 9_999])
async def test_an_answer_that_names_no_call_is_an_error(body: str) -> None:
    assert not (await refused(Carrier(httpx.Response(200, text=body)))).retryable


async def test_an_xml_answer_is_understood() -> None:
    xml = "<TwilioResponse><Call><Sid>abc</Sid><Status>in-progress</Status></Call></TwilioResponse>"
    assert await dial(Carrier(httpx.Response(200, text=xml))) == PlacedCall("abc")


async def test_a_refused_connection_is_tried_again() -> None:
    carrier = Carrier(httpx.ConnectError("refused"), httpx.Response(200, json=TAKEN))
    assert await dial(carrier) == PlacedCall("c5797dcb")


async def test_an_unreachable_carrier_is_an_error_worth_another_try_later() -> None:
    carrier = Carrier(httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"))
    assert (await refused(carrier)).retryable


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), httpx.WriteError("gone")]
)
async def test_a_request_that_may_have_arrived_is_never_sent_again(error: httpx.HTTPError) -> None:
    carrier = Carrier(error, httpx.Response(200, json=TAKEN))
    failure = await refused(carrier)
    assert not failure.retryable
    assert len(carrier.requests) == 1


async def check(*answers: httpx.Response | Exception) -> list[httpx.Request]:
    """The requests of an account check."""
    carrier = Carrier(*answers)
    async with httpx.AsyncClient(transport=httpx.MockTransport(carrier)) as http:
        await ExotelTelephony(http, pause_s=0.0).check_account(CREDENTIALS)
    return carrier.requests


async def fetch(*answers: httpx.Response | Exception) -> tuple[StatusUpdate | None, httpx.Request]:
    """What the details of a call say, and how they were asked for."""
    carrier = Carrier(*answers)
    async with httpx.AsyncClient(transport=httpx.MockTransport(carrier)) as http:
        return await ExotelTelephony(http, pause_s=0.0).fetch_call(CREDENTIALS, "c57/97"), carrier.requests[-1]


async def test_an_account_is_checked_with_one_line_of_its_calls() -> None:
    (request,) = await check(httpx.Response(200, json={"Metadata": {"Total": 0}, "Calls": []}))
    assert str(request.url) == "https://api.in.exotel.com/v1/Accounts/demo1/Calls.json?PageSize=1"
    assert (request.method, request.headers["authorization"]) == ("GET", "Basic a2V5OnRva2Vu")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"RestException": {"Status": 401, "Message": "Bad token", "Code": "UNAUTHORIZED"}}),
        httpx.Response(403),
        httpx.Response(404, text=XML_REFUSAL),
        httpx.Response(200, json={"RestException": {"Status": 401, "Message": "Bad token"}}),
        httpx.Response(200, json={"RestException": {"Status": "404"}}),
    ],
)
async def test_wrong_credentials_are_the_customers_mistake(answer: httpx.Response) -> None:
    with pytest.raises(Invalid) as caught:
        await check(answer)
    assert "token" not in caught.value.message.replace("API key and token", "")


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.Response(500)],
        [httpx.Response(429, headers={"Retry-After": "3"})],
        [httpx.Response(302)],
        [httpx.Response(200, json={"RestException": "what?"})],
        [httpx.ReadTimeout("slow")],
        [httpx.ConnectError("refused"), httpx.ConnectError("refused")],
    ],
)
async def test_an_outage_says_nothing_about_an_account_or_a_call(answers: list[httpx.Response | Exception]) -> None:
    with pytest.raises(ProviderError):
        await check(*answers)
    with pytest.raises(ProviderError):
        await fetch(*answers)


async def test_a_call_is_asked_for_with_its_details() -> None:
    call = {
        "Sid": "c57/97",
        "Status": "completed",
        "Duration": "41",
        "StartTime": "2017-03-03 10:48:33",
        "RecordingUrl": "https://recordings.exotel.com/a.mp3",
        "Details": {"ConversationDuration": "38", "Leg1Status": "completed", "Legs": [{"Leg": {"Id": 1}}]},
    }
    said, request = await fetch(httpx.ConnectError("refused"), httpx.Response(200, json={"Call": call}))
    assert said == StatusUpdate("c57/97", CallStatus.COMPLETED, 38, "https://recordings.exotel.com/a.mp3")
    assert str(request.url) == "https://api.in.exotel.com/v1/Accounts/demo1/Calls/c57%2F97.json?details=true"


async def test_a_call_the_carrier_does_not_know_is_none() -> None:
    assert (await fetch(httpx.Response(404)))[0] is None


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"Call": null}', "[" * 9_999])
async def test_an_answer_without_a_call_is_an_outage(body: str) -> None:
    with pytest.raises(ProviderError):
        await fetch(httpx.Response(200, text=body))


@pytest.mark.parametrize(
    ("subdomain", "host"),
    [
        ("api.exotel.com", "api.exotel.com"),
        ("@api.in.exotel.com", "api.in.exotel.com"),
        ("https://API.in.exotel.com/", "api.in.exotel.com"),
        ("api.in", "api.in.exotel.com"),
        ("evil.example", "evil.example.exotel.com"),
        ("evilexotel.com", "evilexotel.com.exotel.com"),
    ],
)
def test_a_subdomain_is_always_a_host_of_exotel(subdomain: str, host: str) -> None:
    assert host_of(subdomain) == host


@pytest.mark.parametrize("subdomain", ["", "127.0.0.1:80", "evil.com/.exotel.com", "a@b.exotel.com", "a b", "é"])
def test_what_is_no_host_name_is_refused(subdomain: str) -> None:
    with pytest.raises(Invalid):
        host_of(subdomain)
