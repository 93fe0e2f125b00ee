"""Who may report on calls, and what an old or strange report can change: nothing."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from models.call import Call, CallStatus
from models.document import new_id
from models.errors import ProviderError
from models.settings import Settings
from services.call_addresses import CallAddresses
from tests.resources.conftest import Client
from tests.resources.test_webhooks import announcement, rung, webhook

pytestmark = pytest.mark.integration

PASSWORD = "s3cret:@/ü"
CARRIER, STRANGER = "203.0.113.7", "192.0.2.66"


def basic(user: str = "exotel", password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def stored(client: Client, call_id: str) -> Call:
    return await client.house.stores.calls.by_id(call_id)


def status_url(client: Client) -> str:
    """Of the call placed last."""
    return client.house.carrier.placed[-1][1].status_url


def recording_url(url: str) -> str:
    return url.replace("/status?", "/recording?")


async def posted(client: Client, url: str, **fields: str) -> int:
    return (await webhook(client, url, "json", fields)).status_code


async def ended(client: Client) -> dict[str, Any]:
    """A call that the carrier has ended."""
    call = await client.call()
    assert await posted(client, status_url(client), CallSid=call["exotelCallSid"], CallStatus="completed") == 200
    return call


class TestGates:
    """On top of the token."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        gates = {"webhook_basic_auth": SecretStr(f"exotel:{PASSWORD}"), "webhook_allowed_ips": f"{CARRIER}, 10.0.0.0/8"}
        return settings.model_copy(update=gates)

    @pytest.mark.parametrize(
        ("address", "authorization", "status"),
        [
            (CARRIER, basic(), 200),
            ("10.1.2.3", basic(), 200),
            ("::ffff:10.1.2.3", basic(), 200),
            (STRANGER, basic(), 403),
            (f"{CARRIER}, {STRANGER}", basic(), 403),
            (CARRIER, "", 401),
            (CARRIER, basic(password="wrong"), 401),
            (CARRIER, basic(user="Exotel"), 401),
            (CARRIER, basic().removeprefix("Basic "), 401),
            (CARRIER, basic().replace("Basic", "Bearer"), 401),
            (CARRIER, "Basic é", 401),
            (CARRIER, basic() + "A", 401),
        ],
    )
    async def test_both_must_be_right(self, client: Client, address: str, authorization: str, status: int) -> None:
        call = await client.call()
        headers = {"X-Forwarded-For": address, "Authorization": authorization.encode("latin-1")}
        url = urlsplit(status_url(client))
        request = {"json": {"CallSid": call["exotelCallSid"], "CallStatus": "ringing"}, "headers": headers}
        response = await client.http.post(f"{url.path}?{url.query}", **request)  # type: ignore[arg-type]
        assert response.status_code == status, response.text
        assert response.json()["success"] is (status == 200)
        assert (await stored(client, call["_id"])).status == ("ringing" if status == 200 else "initiated")

    async def test_they_do_not_replace_the_token(self, client: Client) -> None:
        headers = {"X-Forwarded-For": CARRIER, "Authorization": basic()}
        path = "/api/v1/webhooks/exotel/status?call=x&token=x"
        response = await client.http.post(path, json={"CallSid": "1"}, headers=headers)
        assert (response.status_code, response.json()["error"]["message"]) == (401, "Invalid token")

    async def test_addresses_we_hand_out_bring_the_credentials(self, client: Client) -> None:
        await client.call()
        for url in (status_url(client), await rung(client)):
            sent = httpx.Request("POST", url)
            assert sent.url.userinfo == b"exotel:s3cret%3A%40%2F%C3%BC"
            auth = httpx.BasicAuth(sent.url.username, sent.url.password)
            assert next(auth.auth_flow(sent)).headers["Authorization"] == basic()

    async def test_no_other_route_asks_for_them(self, client: Client) -> None:
        await client.ask("GET", "/agents", headers={"X-Forwarded-For": STRANGER})


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_allowed_ips": "10.0.0.0/8, carrier.example.com"},
        {"webhook_allowed_ips": "10.0.0.0/40"},
        {"webhook_basic_auth": SecretStr("password")},
        {"webhook_basic_auth": SecretStr(":password")},
        {"webhook_basic_auth": SecretStr("user:")},
    ],
)
def test_gates_that_cannot_be_read_stop_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, **wrong)
    [problem] = refused.value.errors()
    assert problem["loc"] == tuple(wrong)
    assert "password" not in problem["msg"].replace("user:password", "")


# --- replays --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("word", ["ringing", "in-progress", "completed", "busy", "failed", "queued", "nonsense"])
async def test_words_on_a_call_that_is_over_change_nothing(client: Client, word: str) -> None:
    call = await ended(client)
    before = await stored(client, call["_id"])
    assert before.status is CallStatus.COMPLETED
    for fields in ({"CallStatus": word, "CallDuration": "99"}, {"EventType": "ringing"}, {"EventType": "answered"}):
        assert await posted(client, status_url(client), CallSid=call["exotelCallSid"], **fields) == 200
    assert await stored(client, call["_id"]) == before


async def test_a_recording_comes_after_the_end_once(client: Client) -> None:
    call = await ended(client)
    sid, url = call["exotelCallSid"], recording_url(status_url(client))
    first, second = "https://exotel.com/a.mp3", "https://evil.example.com/b.mp3"
    assert await posted(client, url, CallSid=sid, RecordingUrl=first) == 200
    kept = await stored(client, call["_id"])
    assert kept.recording is not None
    assert kept.recording.url == first
    for address in (url, status_url(client)):
        for again in (second, first):
            assert await posted(client, address, CallSid=sid, RecordingUrl=again, CallStatus="failed") == 200
    assert await stored(client, call["_id"]) == kept


async def test_a_call_that_is_over_is_not_announced_again(client: Client) -> None:
    url, fields = await rung(client), announcement()
    assert (await webhook(client, url, "query", fields)).status_code == 200
    assert (await webhook(client, url, "query", fields)).status_code == 200
    [call] = (await client.ask("GET", "/calls"))["data"]["calls"]
    await client.ask("POST", f"/calls/{call['sessionId']}/end")
    before = await stored(client, call["_id"])
    for shape in ("query", "json", "form"):
        response = await webhook(client, url, shape, fields)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "DUPLICATE_RESOURCE")
    assert await stored(client, call["_id"]) == before


async def test_a_call_over_before_the_carrier_named_it_cannot_be_named_later(client: Client) -> None:
    client.house.carrier.refusal = ProviderError("timed out", provider="exotel", retryable=False)
    body = {
        "fromPhone": (await client.phone())["number"],
        "toPhone": "+919123456789",
        "agentId": await client.agent(),
    }
    await client.ask("POST", "/calls/outbound", 502, json=body)
    [call] = (await client.ask("GET", "/calls"))["data"]["calls"]
    before = await stored(client, call["_id"])
    news = {"CallSid": new_id(), "CallStatus": "in-progress", "RecordingUrl": "https://exotel.com/a.mp3"}
    assert await posted(client, status_url(client), **news) == 200
    assert await stored(client, call["_id"]) == before


# --- tokens and call ids that do not belong together ---------------------------------------------------------
async def test_a_status_of_an_incoming_call_comes_over_its_phone(client: Client) -> None:
    url, fields = await rung(client), announcement()
    await webhook(client, url, "json", fields)
    news = url.replace("/incoming?", "/status?")
    assert await posted(client, news, CallSid=fields["CallSid"], CallStatus="completed") == 200
    [call] = (await client.ask("GET", "/calls"))["data"]["calls"]
    assert call["status"] == "completed"


async def test_a_phone_reports_on_no_other_phones_calls_and_on_none_it_made(client: Client) -> None:
    theirs, fields = await rung(client), announcement()
    await webhook(client, theirs, "json", fields)
    made = await client.call()
    phone = (await client.ask("GET", "/phones"))["data"]["phones"][0]
    assert phone["number"] == made["fromPhone"]
    ours = CallAddresses(client.house.settings).incoming(phone["_id"])
    for sid in (fields["CallSid"], made["exotelCallSid"]):
        call = await client.house.stores.calls.by_carrier(sid)
        for event in ("status", "recording"):
            url = ours.replace("/incoming?", f"/{event}?")
            news = {"CallSid": sid, "CallStatus": "completed", "RecordingUrl": "https://evil.example.com/b.mp3"}
            assert await posted(client, url, **news) == 404
        # Nor does it open their media.
        await client.ask("PUT", f"/phones/{phone['_id']}/agent", json={"agentId": await client.agent()})
        assert (await webhook(client, ours, "json", {**announcement(), "CallSid": sid})).status_code == 409
        assert await stored(client, call.id) == call


async def test_a_call_takes_word_of_its_own_carrier_call_only(client: Client) -> None:
    first = await client.call()
    url = status_url(client)
    second = await client.call()
    for sid in (second["exotelCallSid"], new_id()):
        assert await posted(client, url, CallSid=sid, CallStatus="completed") == 403
    for call in (first, second):
        assert (await stored(client, call["_id"])).status is CallStatus.INITIATED


async def test_an_unnamed_call_cannot_take_the_name_of_another(client: Client) -> None:
    known = await client.call()
    unnamed = await _unnamed(client)
    url = CallAddresses(client.house.settings).status(unnamed.id)
    assert await posted(client, url, CallSid=known["exotelCallSid"], CallStatus="completed") == 403
    assert await stored(client, unnamed.id) == unnamed
    assert (await stored(client, known["_id"])).status is CallStatus.INITIATED
    assert await posted(client, url, CallSid=new_id(), CallStatus="ringing") == 200
    assert await posted(client, url, CallSid=new_id(), CallStatus="completed") == 403
    assert (await stored(client, unnamed.id)).status is CallStatus.RINGING


async def _unnamed(client: Client) -> Call:
    """A call that the carrier has not answered for yet."""
    placed = await stored(client, (await client.call())["_id"])
    fresh = {"id": new_id(), "session_id": f"sess_{new_id()}", "carrier_call_id": None}
    return await client.house.stores.calls.insert(placed.model_copy(update=fresh))


@pytest.mark.parametrize(
    "twist",
    [
        lambda query, other: f"{query}&{other}",
        lambda query, other: f"{other}&{query}",
        lambda query, other: f"{query}&{other.partition('&')[0]}",
        lambda query, other: f"{query}&token=x",
        lambda query, other: f"{query}&phone={new_id()}",
        lambda query, other: query.replace("call=", "phone="),
        lambda query, other: query.replace("call=", "Call="),
        lambda query, other: query.replace("call=", "call=%00"),
        lambda query, other: query.partition("&")[0],
        lambda query, other: query.replace("token=", "token=%20"),
        lambda query, other: query + "%0a",
    ],
)
async def test_a_twisted_address_is_none_of_ours(client: Client, twist: Callable[[str, str], str]) -> None:
    call = await client.call()
    query = urlsplit(status_url(client)).query
    await client.call()
    path = f"/api/v1/webhooks/exotel/status?{twist(query, urlsplit(status_url(client)).query)}"
    fields = {"CallSid": call["exotelCallSid"], "CallStatus": "completed"}
    assert (await client.http.post(path, json=fields)).status_code == 401
    assert (await stored(client, call["_id"])).status is CallStatus.INITIATED


async def test_repeated_fields_are_one_word_for_check_and_deed(client: Client) -> None:
    call = await client.call()
    url = urlsplit(status_url(client))
    own, other = call["exotelCallSid"], new_id()
    for content in (f"CallSid={own}&CallSid={other}", f"CallSid={own}&call_sid={other}", f"CallSid={other}"):
        path = f"{url.path}?{url.query}&CallSid={own}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await client.http.post(path, content=f"{content}&CallStatus=completed", headers=headers)
        assert response.status_code == 403
    assert (await stored(client, call["_id"])).status is CallStatus.INITIATED
