"""The media socket under carriers of every kind; the call actor's door is real, the call behind it an echo."""

import asyncio

import httpx
import pytest
from pymongo.errors import AutoReconnect
from websockets.asyncio.client import ClientConnection, connect

from actors.call_session.pool import Lease
from models.call import Call, CallStatus
from models.document import new_id
from models.errors import NoCapacity
from models.settings import Settings
from serve_app.wiring import utc_now
from tests.documents import a_call
from tests.integration.carriers import (
    MEDIA,
    a_running_replica,
    a_stored_call,
    address,
    close_code,
    echoes,
    lines,
    some_doors,
    stored,
    until,
)
from tests.integration.edge import Doors, Replica

pytestmark = pytest.mark.integration

doors = pytest.fixture(some_doors)
replica = pytest.fixture(a_running_replica)
call = pytest.fixture(a_stored_call)


# --- the way through ----------------------------------------------------------------------------------
async def test_messages_pass_verbatim_both_ways(replica: Replica, settings: Settings, call: Call, doors: Doors) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        for text in (MEDIA, "", "grüße 🎧", "{not json"):
            await carrier.send(text)
            assert await carrier.recv() == text
    assert doors.heard[call.session_id] == [MEDIA, "", "grüße 🎧", "{not json"]


async def test_the_stored_call_knows_its_actor(replica: Replica, settings: Settings, call: Call) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        assert await echoes(carrier)
        lease = (await replica.repositories.calls.session(call.session_id)).lease
    assert lease is not None
    assert lease.actor == "door-0"


async def test_the_carriers_end_reaches_the_call_and_frees_its_actor(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        assert await echoes(carrier)
    await until(lambda: call.session_id in doors.over and doors.free == 4)


async def test_a_carrier_that_vanishes_without_a_word_ends_the_call_too(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    carrier = await connect(address(replica, settings, call))
    assert await echoes(carrier)
    carrier.transport.abort()
    await until(lambda: call.session_id in doors.over and doors.free == 4)


async def test_the_calls_end_closes_the_carriers_socket(replica: Replica, settings: Settings, call: Call) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        await carrier.send("hang up")
        assert await close_code(carrier) == 1000


# --- what is not let in ---------------------------------------------------------------------------------
async def test_a_wrong_token_is_refused_with_one_line_that_does_not_show_it(
    replica: Replica, settings: Settings, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(address(replica, settings, call)[:-4] + "zzzz") as carrier:
        assert await close_code(carrier) == 1008
    assert lines(caplog) == ["media socket refused: UNAUTHORIZED"]
    assert "zzzz" not in caplog.text


@pytest.mark.parametrize("query", ["", "?token=", "?token=%00%ff", "?TOKEN=x"])
async def test_no_token_is_a_wrong_token(replica: Replica, call: Call, query: str) -> None:
    async with connect(f"{replica.url('ws')}/audio/{call.session_id}{query}") as carrier:
        assert await close_code(carrier) == 1008


async def test_an_unknown_session_is_refused(replica: Replica, settings: Settings) -> None:
    unknown = a_call(new_id())
    async with connect(address(replica, settings, unknown)) as carrier:
        assert await close_code(carrier) == 1008


async def test_a_call_that_is_over_is_refused(replica: Replica, settings: Settings) -> None:
    over = await stored(replica, status=CallStatus.COMPLETED)
    async with connect(address(replica, settings, over)) as carrier:
        assert await close_code(carrier) == 1008


async def test_a_second_connection_is_refused_and_the_call_goes_on(
    replica: Replica, settings: Settings, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        assert await echoes(carrier)
        async with connect(address(replica, settings, call)) as second:
            assert await close_code(second) == 1008
        assert await echoes(carrier)
    assert lines(caplog) == ["media socket refused: DUPLICATE_RESOURCE"]


async def test_of_many_connections_at_once_exactly_one_gets_the_call(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    carriers = await asyncio.gather(*(connect(address(replica, settings, call)) for _ in range(4)))
    tried = await asyncio.gather(*(echoes(carrier) for carrier in carriers), return_exceptions=True)
    assert tried.count(True) == 1
    await asyncio.gather(*(carrier.close() for carrier in carriers))
    await until(lambda: doors.free == 4)


async def test_without_capacity_the_carrier_is_asked_to_try_later_and_the_call_is_over(
    replica: Replica, settings: Settings, call: Call, doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    doors.free = 0
    async with connect(address(replica, settings, call)) as carrier:
        assert await close_code(carrier) == 1013
    assert lines(caplog) == ["media socket refused: INTERNAL_ERROR"]
    refused = await replica.repositories.calls.session(call.session_id)
    assert (refused.status, refused.end_reason, refused.lease) == (CallStatus.FAILED, "no-capacity", None)


async def test_a_second_connection_that_finds_no_actor_does_not_end_the_call_of_the_first(
    replica: Replica, settings: Settings, call: Call, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_late(wanted: Call, by: str) -> Lease:
        await replica.edge.services.carriage.claim(wanted.session_id, "the first one's", utc_now())
        raise NoCapacity("every call actor is busy")

    monkeypatch.setattr(doors, "lease", too_late)
    async with connect(address(replica, settings, call)) as carrier:
        assert await close_code(carrier) == 1013
    assert not (await replica.repositories.calls.session(call.session_id)).status.is_final


async def test_while_the_database_is_away_the_carrier_is_asked_to_try_later(
    replica: Replica,
    settings: Settings,
    call: Call,
    doors: Doors,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def away(*asked: object) -> Call:
        raise AutoReconnect("away")

    monkeypatch.setattr(replica.edge.services.carriage, "claim", away)
    async with connect(address(replica, settings, call)) as carrier:
        assert await close_code(carrier) == 1013
    assert lines(caplog) == ["media socket refused: the database is away"]
    await until(lambda: doors.free == 4)


# --- what is let in and makes no sense --------------------------------------------------------------------
async def test_garbage_harms_neither_its_own_call_nor_another(
    replica: Replica, settings: Settings, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    other = await stored(replica)
    async with connect(address(replica, settings, other)) as calm:
        async with connect(address(replica, settings, call)) as wild:
            for noise in (bytes(range(256)) * 40, b"", "null", "[]", '{"event":"media"}', "\x00" * 1000):
                await wild.send(noise)
            assert await calm_and_wild(calm, wild)
        assert await echoes(calm)
    assert lines(caplog) == []


async def calm_and_wild(calm: ClientConnection, wild: ClientConnection) -> bool:
    assert await echoes(calm)
    await wild.send("still here")
    async with asyncio.timeout(5):
        while await wild.recv() != "still here":
            continue
    return True


async def test_a_message_beyond_one_megabyte_ends_its_call_and_no_other(
    replica: Replica, settings: Settings, call: Call
) -> None:
    other = await stored(replica)
    async with connect(address(replica, settings, other)) as calm:
        async with connect(address(replica, settings, call), max_size=None) as wild:
            await wild.send("x" * (1 << 20))
            assert await close_code(wild) == 1009
        assert await echoes(calm)


async def test_the_door_lets_nobody_in_without_the_token(
    replica: Replica, settings: Settings, call: Call, doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        assert await echoes(carrier)
        endpoint = doors.endpoints[0]
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x05\x01abcd", b""):
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
            writer.write(noise)
            writer.write_eof()
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
        assert await echoes(carrier)
    assert lines(caplog) == ["attachment refused: no valid token came with it"] * 3


async def test_the_bare_address_leads_to_the_pages_of_the_api(replica: Replica) -> None:
    async with httpx.AsyncClient(base_url=replica.url(), follow_redirects=True) as browser:
        page = await browser.get("/")
    assert page.status_code == 200
    assert page.url.path == "/api/v1/docs"
    assert "openapi.json" in page.text
